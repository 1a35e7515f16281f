"""A MISP event with an attribute per entry, and warninglists, which are MISP's own way to say "benign"."""

from __future__ import annotations

from json.encoder import encode_basestring as quoted

from cases.watchlists.formats.apexes import SAID_ALREADY, Apexes
from cases.watchlists.formats.base import Format, How, ListEntry, Said, left_out
from cases.watchlists.formats.exact import refusal
from cases.watchlists.formats.ids import stable_id
from cases.watchlists.formats.spelled import free_text, moment

_LONGEST_COMMENT = 1_000


class MispEvent(Format):
    slug = "misp-event"
    label = "MISP event"
    media_type = "application/json"
    extension = "json"
    between = ",\n"

    def opening(self) -> str:
        list_ = self.published
        return (
            f'{{"Event":{{"uuid":"{stable_id(f"event {list_.slug}")}",'
            f'"info":{quoted(f"{list_.title} ({list_.verdict}), publication {list_.number}")},'
            f'"date":"{moment(list_.at)[:10]}","timestamp":"{int(list_.at.timestamp())}",'
            '"distribution":"0","threat_level_id":"4","analysis":"2","published":false,"Attribute":[\n'
        )

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        kind, value, verdict = entry.kind, entry.value, entry.verdict
        if kind == "address" or kind == "network":
            word = "ip-dst"
        else:
            word = "domain" if "." in value else "hostname"
        # The value is in its strict form: nothing in it needs an escape.
        text = (
            f'{{"uuid":"{stable_id(f"attribute {verdict} {kind} {value} {entry.decision}")}",'
            f'"type":"{word}","category":"Network activity",'
            f'"value":"{value}","to_ids":{"true" if verdict == "blocked" else "false"},'
            f'"timestamp":"{int(entry.decided_at.timestamp())}",'
            f'"comment":{quoted(free_text(entry.reason, _LONGEST_COMMENT))}}}'
        )
        if kind == "below":
            return Said(text, How.NARROWER, "apex only: an attribute has no word for the names below")
        return Said(text)

    def closing(self) -> str:
        return "\n]}}\n"


class Warninglist(Format):
    """One list.json of the misp-warninglists repository's form. `matching` is how MISP compares."""

    media_type = "application/json"
    extension = "json"
    between = ",\n"
    matching = "string"

    def opening(self) -> str:
        list_ = self.published
        return (
            f'{{"name":{quoted(f"Footprint: {list_.title}")},'
            f'"description":{quoted(list_.about or list_.title)},"version":{max(list_.number, 1)},'
            f'"type":"{self.matching}","matching_attributes":{_ATTRIBUTES[self.matching]},"list":[\n'
        )

    def closing(self) -> str:
        return "\n]}\n"


_ATTRIBUTES = {
    "string": '["domain","hostname","ip-dst","ip-src"]',
    "hostname": '["domain","hostname","url"]',
    "cidr": '["ip-dst","ip-src"]',
}
_NETWORK = left_out("a network: the warninglist of networks has it")
_NOT_BELOW = left_out("an exact name or an address: the exact warninglist has it")
_NAME = left_out("a name: the other warninglists have it")


class WarninglistExact(Apexes, Warninglist):
    slug = "misp-warninglist"
    label = "MISP warninglist, exact"

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        if entry.kind == "network":
            return _NETWORK
        if self.has_written(entry):
            return SAID_ALREADY
        if entry.kind == "below":
            return Said(quoted(entry.value), How.NARROWER, "apex only: the warninglist of names has the rest")
        return Said(quoted(entry.value))


class WarninglistNames(Warninglist):
    """Type hostname walks up the labels, so each line has everything below it."""

    slug = "misp-warninglist-names"
    label = "MISP warninglist, names with all below"
    matching = "hostname"

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        return Said(quoted(entry.value)) if entry.kind == "below" else _NOT_BELOW


class WarninglistNetworks(Warninglist):
    slug = "misp-warninglist-networks"
    label = "MISP warninglist, addresses and networks"
    matching = "cidr"

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        if entry.kind in ("name", "below"):
            return _NAME
        if entry.kind == "network":
            return Said(quoted(entry.value))
        return Said(f'"{entry.value}/{128 if ":" in entry.value else 32}"')
