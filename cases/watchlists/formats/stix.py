from __future__ import annotations

from json.encoder import encode_basestring as quoted

from cases.watchlists.formats.base import Format, Gone, ListEntry, Said
from cases.watchlists.formats.exact import refusal
from cases.watchlists.formats.ids import stable_id
from cases.watchlists.formats.spelled import moment

_IDENTITY = f"identity--{stable_id('footprint')}"
_BORN = "2026-01-01T00:00:00.000Z"
_REVOKED = ',"revoked":true'


class Stix(Format):
    """A STIX 2.1 bundle of indicators.

    An indicator's id follows from the decision: being revoked is for ever, so a new block of the same name
    is a new indicator. What has left the list is said once more, as revoked.
    """

    slug = "stix"
    label = "STIX 2.1"
    media_type = "application/stix+json; version=2.1"
    extension = "json"

    def opening(self) -> str:
        list_ = self.published
        bundle = stable_id(f"bundle {list_.slug} {list_.number} {moment(list_.at)}")
        return (
            f'{{"type":"bundle","id":"bundle--{bundle}","objects":[\n'
            f'{{"type":"identity","spec_version":"2.1","id":"{_IDENTITY}","created":"{_BORN}",'
            f'"modified":"{_BORN}","name":"Footprint","identity_class":"system"}}'
        )

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        return Said(f",\n{_indicator(entry)}")

    def unsay(self, gone: Gone) -> str:
        if refusal(gone.entry):
            return ""
        decided = gone.entry.decided_at
        return f",\n{_indicator(gone.entry, revoked_at=_millis(moment(max(gone.at, decided))))}"

    def closing(self) -> str:
        return "\n]}\n"


def _indicator(entry: ListEntry, *, revoked_at: str = "") -> str:
    blocks = entry.verdict == "blocked"
    created = _millis(moment(entry.decided_at))
    until = "" if entry.expires_at is None else f',"valid_until":"{_millis(moment(entry.expires_at))}"'
    name = f"*.{entry.value}" if entry.kind == "below" else entry.value
    return (
        f'{{"type":"indicator","spec_version":"2.1","id":"indicator--{_id(entry)}",'
        f'"created_by_ref":"{_IDENTITY}","created":"{created}","modified":"{revoked_at or created}",'
        f'"name":{quoted(name)},"description":{quoted(entry.reason)},'
        f'"indicator_types":["{"malicious-activity" if blocks else "benign"}"],'
        f'"pattern":{quoted(_pattern(entry))},"pattern_type":"stix","valid_from":"{created}"{until},'
        f'"labels":["verdict:{"block" if blocks else "allow"}"]{_REVOKED if revoked_at else ""}}}'
    )


def _id(entry: ListEntry) -> str:
    return stable_id(f"{entry.verdict} {entry.kind} {entry.value} {entry.decision}")


def _millis(at: str) -> str:
    return f"{at[:-1]}.000Z"


def _pattern(entry: ListEntry) -> str:
    """Values are names, addresses and networks in strict form: nothing in them needs an escape."""
    value = entry.value
    match entry.kind:
        case "name":
            return f"[domain-name:value = '{value}']"
        case "below":
            return f"[domain-name:value = '{value}' OR domain-name:value {_ends_with(value)}]"
        case _:
            return f"[ipv{6 if ':' in value else 4}-addr:value = '{value}']"


def _ends_with(name: str) -> str:
    """LIKE takes an underscore for any letter and knows no escape."""
    if "_" not in name:
        return f"LIKE '%.{name}'"
    return "MATCHES '" + f".{name}".replace(".", r"\\.") + "$'"
