"""What is proven for each day of a run, from the state of its slices. Pure: no database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

COVERED = "covered"
NO_TELEMETRY = "no telemetry"
OUT_OF_RETENTION = "out of retention"
PARTIAL = "partial"
OWED = "owed"

# What is known of a day is only ever replaced by something that says as much or more.
_WORTH = {OWED: 0, OUT_OF_RETENTION: 1, NO_TELEMETRY: 2, PARTIAL: 3, COVERED: 4}


@dataclass(frozen=True, slots=True)
class Part:
    """One slice as far as coverage cares; one that was split is not among them, its children are.
    `silent` is known only from a finished plan."""

    is_plan: bool
    is_done: bool
    first_day: date
    last_day: date
    silent: frozenset[date] = frozenset()
    # Being asked or still to be; answered, but not whole; no longer kept; a part of a day.
    is_open: bool = False
    is_in_part: bool = False
    is_out: bool = False
    is_part: bool = False

    def has(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


def each_day(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def coverage_of(first: date, last: date, over_until: date, parts: Sequence[Part]) -> dict[date, str]:
    """A day is covered when every plan is done and every slice over it too; silent when the plans say so.

    Days from `over_until` on were not over when the run began: what was asked of them is a part.
    """
    asked = [part for part in parts if not part.is_plan]
    states = {}
    for day in each_day(first, last):
        plans = [part for part in parts if part.is_plan and part.has(day)]
        planned = bool(plans) and all(part.is_done for part in plans)
        state = _state(day, planned, plans, asked)
        states[day] = PARTIAL if day >= over_until and state != OWED else state
    return states


def says_as_much(state: str, known: str | None) -> bool:
    """Whether `state` may replace what is known: a later failure takes no proof away."""
    return known is None or _WORTH[state] >= _WORTH.get(known, 0)


def _state(day: date, planned: bool, plans: Sequence[Part], asked: Sequence[Part]) -> str:
    over_it = [part for part in asked if part.has(day)]
    if any(part.is_out for part in (*plans, *over_it)):
        return OUT_OF_RETENTION
    if not planned or any(part.is_open for part in over_it):
        return OWED
    if not all(part.is_done for part in over_it):
        return PARTIAL if _has_some(over_it) else OWED
    if all(day in part.silent for part in plans):
        return NO_TELEMETRY
    return COVERED


def _has_some(over_it: Sequence[Part]) -> bool:
    """Whether what is missing is a piece of the day: part of an answer, or one of its parts."""
    if any(not (part.is_done or part.is_in_part or part.is_part) for part in over_it):
        return False
    return any(part.is_in_part or (part.is_done and part.is_part) for part in over_it)
