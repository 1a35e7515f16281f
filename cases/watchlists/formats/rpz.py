from __future__ import annotations

from ipaddress import ip_network

from cases.watchlists.formats.base import Format, How, ListEntry, Published, Said, left_out
from cases.watchlists.formats.exact import refusal

# A name and the zone's own name behind it may have 253 characters together.
_LONGEST_NAME = 190
_TOO_LONG = left_out(f"over {_LONGEST_NAME} characters: no room for the name of the zone behind it")
_SAID_ALREADY = Said("", How.EXACT)


class Rpz(Format):
    """A DNS response policy zone: blocked names do not exist, allowed ones pass and so do later zones.

    Owner names are relative, so the zone loads under any name. A name below one that the list holds with
    everything below is not said again: in a zone it would hide its own subdomains from the star.
    """

    slug = "rpz"
    label = "DNS response policy zone"
    media_type = "text/dns; charset=utf-8"
    extension = "zone"

    def __init__(self, published: Published) -> None:
        super().__init__(published)
        self._wide: set[str] = set()

    def opening(self) -> str:
        return (
            "$TTL 300\n"
            f"@ IN SOA localhost. hostmaster.localhost. {max(self.published.number, 1)} 300 60 604800 300\n"
            "@ IN NS localhost.\n"
        )

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        acts = "." if entry.verdict == "blocked" else "rpz-passthru."
        kind, value = entry.kind, entry.value
        if kind == "address" or kind == "network":
            return Said(f"{_trigger(value)} CNAME {acts}\n")
        if len(value) > _LONGEST_NAME:
            return _TOO_LONG
        if self._wide and self._is_below(value):
            return _SAID_ALREADY
        if kind == "below":
            self._wide.add(value)
            return Said(f"{value} CNAME {acts}\n*.{value} CNAME {acts}\n")
        return Said(f"{value} CNAME {acts}\n")

    def _is_below(self, name: str) -> bool:
        """Entries come in the order of their kinds, so every `below` is known before the first name."""
        while name:
            if name in self._wide:
                return True
            name = name.partition(".")[2]
        return False


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
