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


@dataclass(slots=True)
class FoldedEndpoint:
    """`sets` holds one sorted tuple per name in CAPS, in that order; `more` names those that were cut."""

    key: bytes
    file_id: int
    observed: Observed
    first_seen: datetime
    last_seen: datetime
    sets: dict[str, Values]
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
    _known: dict[str, dict[tuple[str | int, ...], tuple[Values, bool]]] = field(
        default_factory=lambda: {name: {} for name in CAPS}
    )

    def add(self, key: bytes, file_id: int, observed: Observed, row: RowToMerge) -> None:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(file_id, observed)
        group.rows.append(row)

    def endpoints(self) -> Iterator[FoldedEndpoint]:
        """In the order of their keys, which is the order in which everyone locks them."""
        for key in sorted(self._groups):
            group = self._groups[key]
            sets, more = self._fold_sets(group.rows)
            yield FoldedEndpoint(
                key=key,
                file_id=group.file_id,
                observed=group.observed,
                first_seen=min(row.first_seen for row in group.rows),
                last_seen=max(row.last_seen for row in group.rows),
                sets=sets,
                more=more,
                days=_fold_days(group.rows),
            )

    def _fold_sets(self, rows: Sequence[RowToMerge]) -> tuple[dict[str, Values], list[str]]:
        sets: dict[str, Values] = {}
        more = []
        for name, get in _GETTERS:
            together = tuple(get(rows[0])) if len(rows) == 1 else tuple(chain.from_iterable(map(get, rows)))
            folded = self._known[name].get(together)
            if folded is None:
                folded = self._known[name][together] = _cut(together, CAPS[name])
            sets[name], is_cut = folded
            if is_cut:
                more.append(name)
        if "devices" not in more and not all(map(_names_every_device, rows)):
            more.append("devices")
        return sets, sorted(more)


# Where a row keeps the values of each set.
_GETTERS: tuple[tuple[str, Callable[[RowToMerge], Sequence[str | int]]], ...] = (
    ("raw_ips", lambda row: (row.ip,)),
    ("raw_names", lambda row: (row.dns,)),
    ("devices", attrgetter("device_names")),
    *((name, attrgetter(name)) for name in CAPS if name not in ("raw_ips", "raw_names", "devices")),
)


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


def _cut(values: Iterable[str | int], cap: int) -> tuple[Values, bool]:
    """The first values in order up to the cap, and whether there were more."""
    texts = sorted({visible(text, _LONGEST_EVIDENCE) for text in values if isinstance(text, str) and text})
    numbers = sorted({number for number in values if isinstance(number, int) and abs(number) <= _INT})
    kept: Values = (*numbers, *texts)
    return kept[:cap], len(kept) > cap


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
        )
    return FoldedDay(
        day=rows[0].day,
        events=_within(sum(row.events for row in rows), _MOST_EVENTS),
        active_hours=_within(sum(row.active_hours for row in rows), _HOURS_OF_A_DAY),
        devices=_within(_count_devices(rows), _INT),
        first_seen=min(row.first_seen for row in rows),
        last_seen=max(row.last_seen for row in rows),
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
