from __future__ import annotations

from ipaddress import ip_network

from cases.watchlists.formats.apexes import SAID_ALREADY
from cases.watchlists.formats.base import Format, ListEntry, Published, Said, left_out
from cases.watchlists.formats.exact import refusal

# A name and the zone's own name behind it may have 253 characters together.
_LONGEST_NAME = 190
_TOO_LONG = left_out(f"over {_LONGEST_NAME} characters: no room for the name of the zone behind it")
_A_TRIGGER = left_out("a policy zone reads names that end so as triggers for addresses or name servers")
_TRIGGERS = (".rpz-ip", ".rpz-client-ip", ".rpz-nsip", ".rpz-nsdname")


class Rpz(Format):
    """A DNS response policy zone: blocked names do not exist, allowed ones pass and so do later zones.

    Owner names are relative, so the zone loads under any name. A name below one that the list holds with
    everything below is not said again: in a zone it would hide its own subdomains from the star. So does a
    star below another one that came later in the list: whatever is between the two is said at the end.
    """

    slug = "rpz"
    label = "DNS response policy zone"
    media_type = "text/dns; charset=utf-8"
    extension = "zone"

    def __init__(self, published: Published) -> None:
        super().__init__(published)
        # In the order of the list, so that the same entries give the same bytes.
        self._wide: dict[str, None] = {}
        self._acts = "." if published.verdict == "blocked" else "rpz-passthru."

    def opening(self) -> str:
        return (
            "$TTL 300\n"
            f"@ IN SOA localhost. hostmaster.localhost. {max(self.published.number, 1)} 300 60 604800 300\n"
            "@ IN NS localhost.\n"
        )

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        acts = self._acts
        kind, value = entry.kind, entry.value
        if kind == "address" or kind == "network":
            return Said(f"{_trigger(value)} CNAME {acts}\n")
        if len(value) > _LONGEST_NAME:
            return _TOO_LONG
        if value.endswith(_TRIGGERS) or f".{value}" in _TRIGGERS:
            return _A_TRIGGER
        if self._wide and self._is_below(value):
            return SAID_ALREADY
        if kind == "below":
            self._wide[value] = None
            return Said(_with_all_below(value, acts))
        return Said(f"{value} CNAME {acts}\n")

    def closing(self) -> str:
        """A name that exists only because something below it does is covered by no star."""
        between: dict[str, None] = {}
        for name in self._wide:
            passed: list[str] = []
            above = name.partition(".")[2]
            while above and above not in self._wide:
                passed.append(above)
                above = above.partition(".")[2]
            if above:
                between.update(dict.fromkeys(passed))
        return "".join(_with_all_below(name, self._acts) for name in between)

    def _is_below(self, name: str) -> bool:
        """Entries come in the order of their kinds, so every `below` is known before the first name."""
        while name:
            if name in self._wide:
                return True
            name = name.partition(".")[2]
        return False


def _with_all_below(name: str, acts: str) -> str:
    return f"{name} CNAME {acts}\n*.{name} CNAME {acts}\n"


def _trigger(value: str) -> str:
    if ":" not in value:
        address, _, prefix = value.partition("/")
        first, second, third, fourth = address.split(".")
        return f"{prefix or 32}.{fourth}.{third}.{second}.{first}.rpz-ip"
    network = ip_network(value)
    groups = str(network.network_address).split(":")
    if groups[0] == "":
        groups = groups[1:]
    if groups[-1] == "":
        groups = groups[:-1]
    words = [group or "zz" for group in groups]
    return ".".join([str(network.prefixlen), *reversed(words), "rpz-ip"])
