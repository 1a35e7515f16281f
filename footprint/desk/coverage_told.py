"""What is proven of the days that a hunt asks for, as lines of a report. Pure: no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date, timedelta

from hunts.coverage import COVERED, NO_TELEMETRY, OUT_OF_RETENTION, OWED, PARTIAL, each_day
from hunts.weeks import not_proven

NEVER_ASKED = "never asked"

# State -> what its days are called, in the order of a report.
_WORDS = {
    COVERED: "complete",
    PARTIAL: "partial",
    OWED: "missing",
    NEVER_ASKED: NEVER_ASKED,
    NO_TELEMETRY: "without telemetry",
    OUT_OF_RETENTION: "out of retention",
}


@dataclass(frozen=True, slots=True)
class CoverageLine:
    words: str
    count: int
    days: str


@dataclass(frozen=True, slots=True)
class CoverageTold:
    first: date
    last: date
    lines: tuple[CoverageLine, ...]
    # What nobody may conclude, as sentences.
    said: str
    # Every day that was over is complete; today never is.
    is_full: bool


def coverage_told(states: Mapping[date, str], *, first_asked: date, today: date) -> CoverageTold:
    """Every day from the first that was ever asked for up to today is in exactly one line."""
    first = min([first_asked, *states])
    known = {day: states.get(day, NEVER_ASKED) for day in each_day(first, max([today, *states]))}
    by_state = {state: [day for day in known if known[day] == state] for state in _WORDS}
    lines = tuple(
        CoverageLine(words, len(by_state[state]), day_ranges(by_state[state]))
        for state, words in _WORDS.items()
        if by_state[state]
    )
    said = not_proven(states)
    if never := by_state[NEVER_ASKED]:
        said = f"{said} {_count(len(never))} never asked, so nothing is proven there."
    said = f"{said} Nothing before {_day(first)} was asked."
    over = {state for day, state in known.items() if day < today}
    return CoverageTold(first, max(known), lines, said, over == {COVERED})


def day_ranges(days: Iterable[date]) -> str:
    """ "26 Oct – 3 Nov 2026, 6 Nov 2026": days that follow each other are one range."""
    known = set(days)
    starts = sorted(day for day in known if day - timedelta(days=1) not in known)
    return ", ".join(_range(start, known) for start in starts)


def _range(start: date, known: Set[date]) -> str:
    end = start
    while end + timedelta(days=1) in known:
        end += timedelta(days=1)
    if end == start:
        return _day(start)
    begin = f"{start.day} {start:%b}" if start.year == end.year else _day(start)
    return f"{begin} – {_day(end)}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _count(days: int) -> str:
    return "1 day was" if days == 1 else f"{days:,} days were"
