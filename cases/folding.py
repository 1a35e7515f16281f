"""Rows of one asking folded into endpoints and sightings, before the database sees them. No Django here.

Rows of one asking that fold to the same endpoint and day are disjoint, so their events are summed.
Sets keep the first values in the order of code points, which makes every fold independent of order.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from cases.observed import Observed, observe, visible

# How many values a set keeps. The question asks for one more, so that a cut is noticed.
CAPS: Mapping[str, int] = {
    "raw_ips": 5,
    "raw_names": 5,
    "devices": 25,
    "ports": 25,
    "actions": 10,
    "accounts": 10,
    "hashes": 10,
    "folders": 10,
    "publishers": 5,
    "parents": 5,
    "command_lines": 5,
}
_HOURS_OF_A_DAY = 24
_LONGEST_EVIDENCE = 2_000
_INT = 2**31 - 1
# Sums over millions of such days still fit PostgreSQL's bigint.
_MOST_EVENTS = 10**12


@dataclass(frozen=True, slots=True)
class RowToMerge:
    """One raw row of an answer, as `summarize … by Day, File, IP, DNS` gives it. Strings know no null."""

    file_kind: str
    file: str
    day: date
    ip: str
    dns: str
    first_seen: datetime
    last_seen: datetime
    events: int
    active_hours: int
    devices: int
    device_names: list[str]
    ports: list[int]
    actions: list[str]
    accounts: list[str]
    hashes: list[str]
    folders: list[str]
    publishers: list[str]
    parents: list[str]
    command_lines: list[str]


@dataclass(frozen=True, slots=True)
class FoldedEndpoint:
    """`sets` holds one sorted list per name in CAPS, `more` the names of those that were cut."""

    key: UUID
    file_id: int
    observed: Observed
    first_seen: datetime
    last_seen: datetime
    sets: dict[str, list[str] | list[int]]
    more: list[str]
    days: list[FoldedDay]


@dataclass(frozen=True, slots=True)
class FoldedDay:
    day: date
    events: int
    active_hours: int
    devices: int
    first_seen: datetime
    last_seen: datetime


@dataclass(slots=True)
class Folded:
    """`unasked_rows` belong to no file of the case, `empty_rows` say neither an address nor a name."""

    rows: int = 0
    empty_rows: int = 0
    unasked_rows: int = 0
    _groups: dict[tuple[int, Observed], list[RowToMerge]] = field(default_factory=lambda: defaultdict(list))

    def endpoints(self) -> Iterator[FoldedEndpoint]:
        """In the order of their keys, which is the order in which everyone locks them."""
        keyed = {endpoint_key(file_id, observed): (file_id, observed) for file_id, observed in self._groups}
        for key in sorted(keyed):
            file_id, observed = keyed[key]
            yield _fold(key, file_id, observed, self._groups[file_id, observed])

    def add(self, file_id: int, observed: Observed, row: RowToMerge) -> None:
        self._groups[file_id, observed].append(row)


def fold(rows: Iterable[RowToMerge], file_ids: Mapping[tuple[str, str], int]) -> Folded:
    """`file_ids` maps (kind, key) of the case's files to their ids."""
    folded = Folded()
    seen: dict[tuple[str, str], Observed] = {}
    for row in rows:
        folded.rows += 1
        raw = row.ip, row.dns
        observed = seen.get(raw)
        if observed is None:
            observed = seen[raw] = observe(*raw)
        file_id = file_ids.get((row.file_kind, row.file))
        if file_id is None:
            folded.unasked_rows += 1
        elif observed.is_empty:
            folded.empty_rows += 1
        else:
            folded.add(file_id, observed, row)
    return folded


def endpoint_key(file_id: int, observed: Observed) -> UUID:
    """One fixed-width key for the nullable triple; no part can hold the separator."""
    text = f"{file_id}\0{observed.ip or ''}\0{observed.dns}"
    return UUID(bytes=hashlib.md5(text.encode(), usedforsecurity=False).digest())


def _fold(key: UUID, file_id: int, observed: Observed, rows: Sequence[RowToMerge]) -> FoldedEndpoint:
    sets, more = _fold_sets(rows)
    days: dict[date, list[RowToMerge]] = defaultdict(list)
    for row in rows:
        days[row.day].append(row)
    return FoldedEndpoint(
        key=key,
        file_id=file_id,
        observed=observed,
        first_seen=min(row.first_seen for row in rows),
        last_seen=max(row.last_seen for row in rows),
        sets=sets,
        more=more,
        days=[_fold_day(day, days[day]) for day in sorted(days)],
    )


def _fold_sets(rows: Sequence[RowToMerge]) -> tuple[dict[str, list[str] | list[int]], list[str]]:
    whole: dict[str, set[Any]] = {
        "raw_ips": _texts([row.ip] for row in rows),
        "raw_names": _texts([row.dns] for row in rows),
        "devices": _texts(row.device_names for row in rows),
        "ports": {port for row in rows for port in row.ports if abs(port) <= _INT},
        "actions": _texts(row.actions for row in rows),
        "accounts": _texts(row.accounts for row in rows),
        "hashes": _texts(row.hashes for row in rows),
        "folders": _texts(row.folders for row in rows),
        "publishers": _texts(row.publishers for row in rows),
        "parents": _texts(row.parents for row in rows),
        "command_lines": _texts(row.command_lines for row in rows),
    }
    more = {name for name, values in whole.items() if len(values) > CAPS[name]}
    if not all(_names_every_device(row) for row in rows):
        more.add("devices")
    sets = {name: sorted(values)[: CAPS[name]] for name, values in whole.items()}
    return sets, sorted(more)


def _texts(lists: Iterable[Sequence[str]]) -> set[str]:
    return {visible(text, _LONGEST_EVIDENCE) for texts in lists for text in texts if text}


def _names_every_device(row: RowToMerge) -> bool:
    """Not so when the set was cut, or when machines share a name or have none."""
    return row.devices <= sum(1 for name in row.device_names if name)


def _fold_day(day: date, rows: Sequence[RowToMerge]) -> FoldedDay:
    return FoldedDay(
        day=day,
        events=_within(sum(row.events for row in rows), _MOST_EVENTS),
        active_hours=_within(sum(row.active_hours for row in rows), _HOURS_OF_A_DAY),
        devices=_within(_count_devices(rows), _INT),
        first_seen=min(row.first_seen for row in rows),
        last_seen=max(row.last_seen for row in rows),
    )


def _count_devices(rows: Sequence[RowToMerge]) -> int:
    """Rows are disjoint in events, not in devices: a union where every name is known, else at least."""
    most = max(row.devices for row in rows)
    if len(rows) == 1:
        return most
    union = len({name for row in rows for name in row.device_names if name})
    if all(_names_every_device(row) for row in rows):
        # A machine that was renamed has two names and is still one.
        return min(union, sum(row.devices for row in rows))
    return max(most, union)


def _within(number: int, greatest: int) -> int:
    return min(max(number, 0), greatest)
