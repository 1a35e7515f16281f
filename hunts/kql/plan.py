"""What a run begins with: which days have anything, and which are asked together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from hunts.kql.cells import read_count, read_day
from hunts.kql.files import AskedFile
from hunts.kql.footprint import (
    COLUMN_OF_KIND,
    IS_ENDPOINT,
    TABLE,
    Dialect,
    Query,
    asks_for,
    split_by_kind,
    time_lines,
)
from hunts.kql.window import ONE_DAY, Window

PLAN_COLUMNS = ("Day", "Rows", "Groups", "Recorded")


@dataclass(frozen=True)
class PlannedDay:
    day: date
    # Rows that answer the question, and an estimate of the groups they make.
    rows: int
    groups: int
    # Rows of the table, whatever they are about.
    recorded: int


class PlannedSlice(NamedTuple):
    """Whole days, both included."""

    first: date
    last: date
    groups: int


@dataclass(frozen=True)
class Plan:
    """Every day of the window is in exactly one of the three. A quiet day between two busy ones is
    asked with them and counts to their slice."""

    # Telemetry was there, and nothing of it answers the question.
    quiet: tuple[date, ...]
    # No telemetry at all: this proves nothing.
    silent: tuple[date, ...]
    slices: tuple[PlannedSlice, ...]


def plan_query(files: Sequence[AskedFile], window: Window, dialect: Dialect) -> Query:
    """One row per UTC day that has telemetry. Must not be pruned by name: it counts all rows."""
    groups = split_by_kind(files)
    if not groups:
        raise ValueError("A query asks for at least one file.")
    numbers = range(len(groups))
    lines = [
        TABLE,
        *time_lines(window, dialect),
        *(f"| extend Asked{number} = {asks_for(groups[number])} and {IS_ENDPOINT}" for number in numbers),
        # Only asked rows get a text to count: making one for every row of the table costs the most.
        *(f'| extend Group{number} = iff(Asked{number}, {_group(groups[number])}, "")' for number in numbers),
        f"| summarize Rows={' + '.join(f'countif(Asked{number})' for number in numbers)},",
        f"            Groups={' + '.join(f'dcountif(Group{number}, Asked{number})' for number in numbers)},",
        "            Recorded=count()",
        f"         by Day=bin({dialect.time_column}, 1d)",
    ]
    return Query("\n".join(lines), PLAN_COLUMNS)


def newest_query(dialect: Dialect) -> Query:
    """How far the telemetry reaches: one row, its cell null where there is none."""
    return Query(f"{TABLE}\n| summarize Newest=max({dialect.time_column})", ("Newest",))


def read_plan(rows: Iterable[Sequence[object]]) -> list[PlannedDay]:
    """Oldest first. Cells in the order of PLAN_COLUMNS."""
    days = [
        PlannedDay(read_day(day), read_count(matching), read_count(groups), read_count(recorded))
        for day, matching, groups, recorded in rows
    ]
    return sorted(days, key=lambda planned: planned.day)


def plan_slices(days: Sequence[PlannedDay], window: Window, max_groups: int) -> Plan:
    """Days that stand beside each other are asked together up to `max_groups`; a single day may
    have more. In a window without bounds nobody asks which days were silent: none is listed, and a
    slice reaches over them."""
    known = sorted((planned for planned in days if _counts(planned, window)), key=lambda planned: planned.day)
    stretches = _stretches(known) if _is_bounded(window) else [known]
    slices = tuple(part for stretch in stretches for part in _slices_of(stretch, max_groups))
    quiet = (planned.day for planned in known if not planned.rows)
    return Plan(
        quiet=tuple(day for day in quiet if not any(part.first < day < part.last for part in slices)),
        silent=_silent_days(window, {planned.day for planned in known}),
        slices=slices,
    )


def _stretches(known: Sequence[PlannedDay]) -> list[list[PlannedDay]]:
    """A day without telemetry lies between one stretch and the next."""
    stretches: list[list[PlannedDay]] = []
    for planned in known:
        if not stretches or planned.day - stretches[-1][-1].day != ONE_DAY:
            stretches.append([])
        stretches[-1].append(planned)
    return stretches


def _slices_of(stretch: Sequence[PlannedDay], max_groups: int) -> list[PlannedSlice]:
    slices: list[PlannedSlice] = []
    for planned in stretch:
        if not planned.rows:
            continue
        if slices and slices[-1].groups + planned.groups <= max_groups:
            first, _, groups = slices.pop()
            slices.append(PlannedSlice(first, planned.day, groups + planned.groups))
        else:
            slices.append(PlannedSlice(planned.day, planned.day, planned.groups))
    return slices


def _silent_days(window: Window, known: set[date]) -> tuple[date, ...]:
    return tuple(day for day in window.each_day() if day not in known) if _is_bounded(window) else ()


def _is_bounded(window: Window) -> bool:
    return window.since is not None and window.until is not None


def _counts(planned: PlannedDay, window: Window) -> bool:
    first, last = window.first_day, window.last_day
    is_inside = (first is None or first <= planned.day) and (last is None or planned.day <= last)
    return bool(planned.recorded) and is_inside


def _group(files: Sequence[AskedFile]) -> str:
    return f'strcat(tolower({COLUMN_OF_KIND[files[0].kind]}), "|", RemoteIP, "|", RemoteUrl)'
