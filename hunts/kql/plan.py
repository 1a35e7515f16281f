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
    have more. In a window without bounds, days without telemetry are not listed."""
    known = {planned.day: planned for planned in days if planned.recorded and _touches(window, planned.day)}
    quiet: list[date] = []
    slices: list[PlannedSlice] = []
    waiting: list[date] = []  # Quiet days after the last slice: part of it, if it goes on.
    for day in sorted(known):
        planned = known[day]
        if waiting and day - waiting[-1] != ONE_DAY:
            quiet, waiting = quiet + waiting, []
        if not planned.rows:
            waiting.append(day)
            continue
        if slices and _can_go_on(slices[-1], planned, waiting, max_groups):
            first, _, groups = slices.pop()
            slices.append(PlannedSlice(first, day, groups + planned.groups))
        else:
            quiet += waiting
            slices.append(PlannedSlice(day, day, planned.groups))
        waiting = []
    return Plan(tuple(quiet + waiting), _silent_days(window, known), tuple(slices))


def _can_go_on(last: PlannedSlice, planned: PlannedDay, waiting: list[date], max_groups: int) -> bool:
    before = waiting[0] if waiting else planned.day
    return before - last.last == ONE_DAY and last.groups + planned.groups <= max_groups


def _silent_days(window: Window, known: dict[date, PlannedDay]) -> tuple[date, ...]:
    if window.since is None or window.until is None:
        return ()
    return tuple(day for day in window.each_day() if day not in known)


def _touches(window: Window, day: date) -> bool:
    first, last = window.first_day, window.last_day
    return (first is None or first <= day) and (last is None or day <= last)


def _group(files: Sequence[AskedFile]) -> str:
    return f'strcat(tolower({COLUMN_OF_KIND[files[0].kind]}), "|", RemoteIP, "|", RemoteUrl)'
