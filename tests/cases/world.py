"""A small world for the tests of cases: rows, merges and what is kept of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction

from cases.actions import decide
from cases.bases import basis_of
from cases.case_actions import FileText, add_case
from cases.merging import Merged, RowToMerge, merge, settle_unsettled
from cases.models import Case, CaseValue, Decision, Endpoint, Sighting
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor, change

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

_ROW = RowToMerge(
    file_kind="name",
    file="a.exe",
    day=DAY,
    ip="",
    dns="",
    first_seen=NOON,
    last_seen=NOON,
    events=1,
    active_hours=1,
    devices=1,
    device_names=["lis-w-0001"],
    ports=[443],
    actions=["ConnectionSuccess"],
    accounts=["ana"],
    hashes=["a" * 40],
    folders=["c:\\windows"],
    publishers=["Contoso"],
    parents=["explorer.exe"],
    command_lines=["a.exe -k"],
)


def row(ip: str = "", dns: str = "", *, days_ago: int = 0, **changes: Any) -> RowToMerge:
    """A row of a.exe, seen once at noon, `days_ago` before DAY."""
    seen = NOON - timedelta(days=days_ago)
    moments = {"day": seen.date(), "first_seen": seen, "last_seen": seen}
    return replace(_ROW, ip=ip, dns=dns, **(moments | changes))


def open_case(owner: Person, *names: str) -> Case:
    with change(actor=Actor.person(owner)) as ledger:
        files = [FileText("name", name, name) for name in names]
        return add_case(ledger, owner=owner, title="Who does it talk to?", why="", files=files)


def merge_only(case: Case, *rows: RowToMerge, source: str = "local") -> Merged:
    with transaction.atomic():
        return merge(case_id=case.pk, source=source, rows=rows)


def merge_and_settle(case: Case, *rows: RowToMerge, source: str = "local") -> Merged:
    merged = merge_only(case, *rows, source=source)
    settle_unsettled(case.pk)
    return merged


def decide_on(
    actor: Person,
    case: Case,
    value: str,
    verdict: str = "blocked",
    scope: str = "everywhere",
    **more: Any,
) -> Decision:
    """Decides with the basis of this very moment."""
    given = {"reason": "Seen in the beacon report", "basis": basis_of(case, value)} | more
    return decide(actor=actor, case=case, value=value, verdict=verdict, scope=scope, **given)


def value_of(case: Case, value: str) -> CaseValue:
    return CaseValue.objects.get(case=case, value=value)


def verdict_of(case: Case, value: str) -> str:
    return value_of(case, value).verdict


def verdicts(case: Case) -> dict[tuple[str, str], str]:
    """By (address, name)."""
    found = Endpoint.objects.filter(case=case)
    return {(str(each.ip or ""), each.dns): each.verdict for each in found}


def kept(case: Case) -> dict[str, list[dict[str, Any]]]:
    """Everything a merge keeps, without what only says when or in which order it was written."""
    pair = ("file__key", "dns", "ip")
    endpoints = Endpoint.objects.filter(case=case).order_by(*pair)
    of_pair = [f"endpoint__{part}" for part in pair]
    sightings = Sighting.objects.filter(endpoint__case=case).order_by(*of_pair, "source", "day")
    values = CaseValue.objects.filter(case=case).order_by("value")
    unkept = {"id", "case_id", "endpoint_id", "file_id", "file_ids", "added_at", "version", "key"}
    return {
        "endpoints": [_without(each, unkept) for each in endpoints.values()],
        "sightings": [_without(each, unkept) for each in sightings.values(*of_pair, *_SIGHTING)],
        "values": [_without(each, unkept) for each in values.values()],
    }


_SIGHTING = ("source", "day", "events", "active_hours", "devices", "first_seen", "last_seen")


def _without(row: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def events_of(entries: Iterable[Entry] | None = None) -> list[str]:
    """The ledger's events, oldest first."""
    return [entry.event for entry in (entries or Entry.objects.order_by("seq"))]
