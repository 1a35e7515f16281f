"""Rows of one asking folded into endpoints and sightings, before the database sees them. No Django here.

Rows of one asking that fold to the same endpoint and day are disjoint, so their events are summed.
Sets keep the first values in the order of code points, which makes every fold independent of order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from operator import attrgetter

from cases.connecting import any_connected, has_connected
from cases.copied import copied_array
from cases.observed import Observed, observe, visible

Values = tuple[str | int, ...]

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
class FoldedSet:
    """`copied` is the array as a line of COPY has it: evidence repeats, so it is written out once."""

    values: Values
    is_cut: bool
    copied: str


@dataclass(slots=True)
class FoldedEndpoint:
    """`sets` holds one sorted set per name in CAPS, in that order; `more` names those that were cut."""

    key: bytes
    file_id: int
    observed: Observed
    first_seen: datetime
    last_seen: datetime
    sets: dict[str, FoldedSet]
    more: list[str]
    days: list[FoldedDay]


@dataclass(slots=True)
class FoldedDay:
    day: date
    events: int
    active_hours: int
    devices: int
    first_seen: datetime
    last_seen: datetime
    # None where the actions were cut.
    connected: bool | None


@dataclass(slots=True)
class _Group:
    """The rows of one endpoint."""

    file_id: int
    observed: Observed
    rows: list[RowToMerge] = field(default_factory=list)


@dataclass(slots=True)
class Folded:
    """`unasked_rows` belong to no file of the case, `empty_rows` say neither an address nor a name."""

    rows: int = 0
    empty_rows: int = 0
    unasked_rows: int = 0
    _groups: dict[bytes, _Group] = field(default_factory=dict)
    # Evidence repeats from row to row: each distinct list is cleaned and cut once.
    _known: dict[str, dict[Values, FoldedSet]] = field(default_factory=lambda: {name: {} for name in CAPS})

    def add(self, key: bytes, file_id: int, observed: Observed, row: RowToMerge) -> None:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(file_id, observed)
        group.rows.append(row)

    def endpoints(self) -> Iterator[FoldedEndpoint]:
        """In the order of their keys, which is the order in which everyone locks them."""
        for key in sorted(self._groups):
            group = self._groups[key]
            days = _fold_days(group.rows)
            sets = self._fold_sets(group.rows)
            yield FoldedEndpoint(
                key=key,
                file_id=group.file_id,
                observed=group.observed,
                first_seen=days[0].first_seen if len(days) == 1 else min(day.first_seen for day in days),
                last_seen=days[0].last_seen if len(days) == 1 else max(day.last_seen for day in days),
                sets=sets,
                more=_cut_sets(sets, group.rows),
                days=days,
            )

    def _fold_sets(self, rows: Sequence[RowToMerge]) -> dict[str, FoldedSet]:
        sets = {
            "raw_ips": _cut([row.ip for row in rows], CAPS["raw_ips"]),
            "raw_names": _cut([row.dns for row in rows], CAPS["raw_names"]),
        }
        for name, get in _GETTERS:
            together = tuple(get(rows[0]) if len(rows) == 1 else chain.from_iterable(map(get, rows)))
            known = self._known[name]
            folded = known.get(together)
            if folded is None:
                folded = known[together] = _cut(together, CAPS[name])
            sets[name] = folded
        return sets


# Where a row keeps the values of each set of evidence.
_GETTERS: tuple[tuple[str, Callable[[RowToMerge], Sequence[str | int]]], ...] = (
    ("devices", attrgetter("device_names")),
    *((name, attrgetter(name)) for name in CAPS if name not in ("raw_ips", "raw_names", "devices")),
)


def _cut_sets(sets: Mapping[str, FoldedSet], rows: Iterable[RowToMerge]) -> list[str]:
    more = [name for name, folded in sets.items() if folded.is_cut]
    if "devices" not in more and not all(map(_names_every_device, rows)):
        more.append("devices")
    return sorted(more)


def fold(rows: Iterable[RowToMerge], file_ids: Mapping[tuple[str, str], int]) -> Folded:
    """`file_ids` maps (kind, key) of the case's files to their ids."""
    folded = Folded()
    seen: dict[tuple[int | None, str, str], tuple[bytes, Observed]] = {}
    for row in rows:
        folded.rows += 1
        file_id = file_ids.get((row.file_kind, row.file))
        raw = file_id, row.ip, row.dns
        known = seen.get(raw)
        if known is None:
            observed = observe(row.ip, row.dns)
            known = seen[raw] = endpoint_key(file_id, observed), observed
        key, observed = known
        if file_id is None:
            folded.unasked_rows += 1
        elif observed.is_empty:
            folded.empty_rows += 1
        else:
            folded.add(key, file_id, observed, row)
    return folded


def endpoint_key(file_id: int | None, observed: Observed) -> bytes:
    """16 bytes for the nullable triple; no part can hold the separator."""
    text = f"{file_id}\0{observed.ip or ''}\0{observed.dns}"
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()


def _cut(values: Sequence[str | int], cap: int) -> FoldedSet:
    """The first values in order up to the cap."""
    if len(values) == 1 and isinstance(values[0], str) and values[0]:
        kept: Values = (visible(values[0], _LONGEST_EVIDENCE),)
        return FoldedSet(kept, is_cut=False, copied=copied_array(kept))
    texts = {visible(text, _LONGEST_EVIDENCE) for text in values if isinstance(text, str) and text}
    numbers = {number for number in values if isinstance(number, int) and abs(number) <= _INT}
    kept = (*sorted(numbers), *sorted(texts))
    return FoldedSet(kept[:cap], len(kept) > cap, copied_array(kept[:cap]))


def _names_every_device(row: RowToMerge) -> bool:
    """Not so when the set was cut, or when machines share a name or have none."""
    return row.devices <= len(row.device_names) - row.device_names.count("")


def _fold_days(rows: Sequence[RowToMerge]) -> list[FoldedDay]:
    if len(rows) == 1:
        return [_fold_day(rows)]
    days: dict[date, list[RowToMerge]] = {}
    for row in rows:
        days.setdefault(row.day, []).append(row)
    return [_fold_day(days[day]) for day in sorted(days)]


def _fold_day(rows: Sequence[RowToMerge]) -> FoldedDay:
    if len(rows) == 1:
        (row,) = rows
        return FoldedDay(
            row.day,
            _within(row.events, _MOST_EVENTS),
            _within(row.active_hours, _HOURS_OF_A_DAY),
            _within(row.devices, _INT),
            row.first_seen,
            row.last_seen,
            has_connected(row.actions, CAPS["actions"]),
        )
    return FoldedDay(
        day=rows[0].day,
        events=_within(sum(row.events for row in rows), _MOST_EVENTS),
        active_hours=_within(sum(row.active_hours for row in rows), _HOURS_OF_A_DAY),
        devices=_within(_count_devices(rows), _INT),
        first_seen=min(row.first_seen for row in rows),
        last_seen=max(row.last_seen for row in rows),
        connected=any_connected([has_connected(row.actions, CAPS["actions"]) for row in rows]),
    )


def _count_devices(rows: Sequence[RowToMerge]) -> int:
    """Rows are disjoint in events, not in devices: a union where every name is known, else at least."""
    union = len({name for row in rows for name in row.device_names if name})
    if all(map(_names_every_device, rows)):
        # A machine that was renamed has two names and is still one.
        return min(union, sum(row.devices for row in rows))
    return max(*(row.devices for row in rows), union)


def _within(number: int, greatest: int) -> int:
    return min(max(number, 0), greatest)
