"""What is proven for each day of a run, from the state of its slices. Pure: no database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

COVERED = "covered"
NO_TELEMETRY = "no telemetry"
OWED = "owed"


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


def coverage_of(first: date, last: date, parts: Sequence[Part]) -> dict[date, str]:
    """A day is covered when every plan is done and every slice over it too; silent when the plans say so."""
    plans = [part for part in parts if part.is_plan]
    planned = bool(plans) and all(part.is_done for part in plans)
    asked = [part for part in parts if not part.is_plan]
    return {day: _state(day, planned, plans, asked) for day in each_day(first, last)}


def _state(day: date, planned: bool, plans: Sequence[Part], asked: Sequence[Part]) -> str:
    if not planned or not all(part.is_done for part in asked if part.has(day)):
        return OWED
    if all(day in part.silent for part in plans):
        return NO_TELEMETRY
    return COVERED
