"""What was seen beside a value, gathered from its endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

from django.db.models import Max, Sum

from cases.explained import judgements_of
from cases.models import Endpoint, Sighting, ValueKind
from cases.verdicts.precedence import explain

SETS = (
    "actions",
    "ports",
    "accounts",
    "folders",
    "hashes",
    "publishers",
    "parents",
    "command_lines",
    "devices",
)
REASONS_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """One set of what was seen. `more` says the set was cut somewhere: it is at least this."""

    items: tuple[object, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Because:
    """Why so many endpoints have their verdict."""

    words: str
    endpoints: int


@dataclass(frozen=True, slots=True)
class LinkOut:
    """A page of somebody else's; it learns of the value only when a person follows it."""

    name: str
    href: str


def sets_of(endpoints: Sequence[Endpoint], *, is_cut: bool) -> dict[str, Evidence]:
    return {name: _set_of(endpoints, name, is_cut) for name in SETS}


def _set_of(endpoints: Iterable[Endpoint], name: str, is_cut: bool) -> Evidence:
    found: dict[Any, None] = {}
    more = is_cut
    for endpoint in endpoints:
        found.update(dict.fromkeys(getattr(endpoint, name)))
        more = more or name in endpoint.more
    return Evidence(tuple(sorted(found)), more)


def directions_of(endpoints: Iterable[Endpoint]) -> str:
    """inbound, outbound, both, or empty when no recorded action says."""
    found = {endpoint.direction for endpoint in endpoints} - {""}
    return "both" if len(found) > 1 else next(iter(found), "")


def active_hours_of(endpoints: Iterable[Endpoint]) -> int:
    """Hours of all days with events: at least those of each day's busiest endpoint."""
    ids = [endpoint.pk for endpoint in endpoints]
    days = Sighting.objects.filter(endpoint__in=ids).values("day").annotate(hours=Max("active_hours"))
    return days.aggregate(total=Sum("hours"))["total"] or 0


def because_of(endpoints: Sequence[Endpoint]) -> list[Because]:
    """The reasons of the verdicts, those of most endpoints first. The endpoints have `file` selected."""
    judgements = judgements_of(endpoints)
    said = Counter(explain(judgement) for judgement in judgements.values())
    return [Because(words, count) for words, count in said.most_common(REASONS_AT_MOST)]


def link_outs_of(value: str, kind: str) -> list[LinkOut]:
    """None for what has no meaning outside the house, such as internal addresses and single labels."""
    if kind == ValueKind.ADDRESS and ip_address(value).is_global:
        return [
            LinkOut("VirusTotal", f"https://www.virustotal.com/gui/ip-address/{quote(value)}"),
            LinkOut("AbuseIPDB", f"https://www.abuseipdb.com/check/{quote(value)}"),
        ]
    if kind == ValueKind.NAME and "." in value and not value.endswith(".arpa"):
        return [
            LinkOut("VirusTotal", f"https://www.virustotal.com/gui/domain/{quote(value)}"),
            LinkOut("AbuseIPDB", f"https://www.abuseipdb.com/check/{quote(value)}"),
        ]
    return []
