from __future__ import annotations

from datetime import datetime
from json.encoder import encode_basestring as quoted

from cases.watchlists.formats.base import Format, Gone, ListEntry, Said
from cases.watchlists.formats.exact import refusal
from cases.watchlists.formats.ids import stable_id
from cases.watchlists.formats.spelled import moment, seconds

_IDENTITY = f"identity--{stable_id('footprint')}"
_BORN = "2026-01-01T00:00:00.000Z"
_REVOKED = ',"revoked":true'
_BEGINS = ',\n{"type":"indicator","spec_version":"2.1","id":"indicator--'


class Stix(Format):
    """A STIX 2.1 bundle of indicators.

    An indicator's id follows from the decision: being revoked is for ever, so a new block of the same name
    is a new indicator, and so is one that comes back after it had left. What has left the list is said once
    more, as revoked.
    """

    slug = "stix"
    label = "STIX 2.1"
    media_type = "application/stix+json; version=2.1"
    extension = "json"
    tells_changes = True

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
        return Said(_indicator(entry))

    def unsay(self, gone: Gone) -> str:
        if refusal(gone.entry):
            return ""
        return _indicator(gone.entry, revoked_at=_millis(max(gone.at, gone.entry.decided_at)))

    def closing(self) -> str:
        return "\n]}\n"


def _indicator(entry: ListEntry, *, revoked_at: str = "") -> str:
    """Values are names, addresses and networks in their strict form: nothing in them needs an escape."""
    kind, value, verdict, reason, _, decided_at, expires_at, _, decision, _, returned = entry
    named = f"{verdict} {kind} {value} {decision}"
    if returned:
        named = f"{named} {returned}"
    created = _millis(decided_at)
    until = "" if expires_at is None else f',"valid_until":"{_millis(expires_at)}"'
    return (
        f"{_BEGINS}{stable_id(named)}"
        f'","created_by_ref":"{_IDENTITY}","created":"{created}","modified":"{revoked_at or created}",'
        f'"name":"{"*." if kind == "below" else ""}{value}","description":{quoted(reason)},'
        f'"indicator_types":["{"malicious-activity" if verdict == "blocked" else "benign"}"],'
        f'"pattern":"{_pattern(kind, value)}","pattern_type":"stix","valid_from":"{created}"{until},'
        f'"labels":["verdict:{"block" if verdict == "blocked" else "allow"}"]'
        f"{_REVOKED if revoked_at else ''}}}"
    )


def _millis(at: datetime) -> str:
    return f"{seconds(at)}.000Z"


def _pattern(kind: str, value: str) -> str:
    """As it stands between the quotes of JSON."""
    if kind == "name":
        return f"[domain-name:value = '{value}']"
    if kind == "below":
        return f"[domain-name:value = '{value}' OR domain-name:value {_ends_with(value)}]"
    return f"[ipv{6 if ':' in value else 4}-addr:value = '{value}']"


def _ends_with(name: str) -> str:
    """LIKE takes an underscore for any letter and knows no escape."""
    if "_" not in name:
        return f"LIKE '%.{name}'"
    # A dot that is meant has two backslashes in STIX, and each of them two in JSON.
    return "MATCHES '" + f".{name}".replace(".", r"\\\\.") + "$'"
