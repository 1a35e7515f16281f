"""What is proven for each day of a run, from the state of its slices. Pure: no database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

COVERED = "covered"
NO_TELEMETRY = "no telemetry"
PARTIAL = "partial"
OWED = "owed"

# What is known of a day is only ever replaced by something that says as much or more.
_WORTH = {OWED: 0, NO_TELEMETRY: 1, PARTIAL: 2, COVERED: 3}


@dataclass(frozen=True, slots=True)
class Part:
    """One slice as far as coverage cares. `silent` is known only from a finished plan."""

    is_plan: bool
    is_done: bool
    first_day: date
    last_day: date
    silent: frozenset[date] = frozenset()

    def has(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


def each_day(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def coverage_of(first: date, last: date, over_until: date, parts: Sequence[Part]) -> dict[date, str]:
    """A day is covered when every plan is done and every slice over it too; silent when the plans say so.

    Days from `over_until` on were not over when the run began: what was asked of them is a part.
    """
    plans = [part for part in parts if part.is_plan]
    planned = bool(plans) and all(part.is_done for part in plans)
    asked = [part for part in parts if not part.is_plan]
    states = {day: _state(day, planned, plans, asked) for day in each_day(first, last)}
    return {day: PARTIAL if day >= over_until and state != OWED else state for day, state in states.items()}


def says_as_much(state: str, known: str | None) -> bool:
    """Whether `state` may replace what is known: a later failure takes no proof away."""
    return known is None or _WORTH[state] >= _WORTH.get(known, 0)


def _state(day: date, planned: bool, plans: Sequence[Part], asked: Sequence[Part]) -> str:
    if not planned or not all(part.is_done for part in asked if part.has(day)):
        return OWED
    if all(day in part.silent for part in plans):
        return NO_TELEMETRY
    return COVERED
