"""The coverage calendar: what is proven for each UTC day, week by week. Pure: no database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hunts.coverage import COVERED, NO_TELEMETRY, OWED, each_day

PARTIAL = "partial"
OUT_OF_RETENTION = "out of retention"
ASKING = "asking"
WAITING = "waiting"
NOT_ASKED = ""

DAYS_SHOWN = 30
_DAYS_NAMED = 6

# State -> what one and several such days are called below the calendar, in this order.
_LEGEND = {
    COVERED: "complete",
    PARTIAL: "partial",
    OWED: "missing",
    ASKING: "being asked",
    WAITING: "waits",
    NO_TELEMETRY: "without telemetry",
    OUT_OF_RETENTION: "out of retention",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days that an unfinished slice is about."""

    first_day: date
    last_day: date
    is_asking: bool


@dataclass(frozen=True, slots=True)
class DayCell:
    day: date
    state: str

    @property
    def words(self) -> str:
        return _LEGEND.get(self.state, "not asked")


@dataclass(frozen=True, slots=True)
class Week:
    """`month` is that of its Monday, named in the first week and where it changes."""

    month: str
    days: tuple[DayCell, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    weeks: tuple[Week, ...]
    # (state, words, days), only those that occur.
    legend: tuple[tuple[str, str, int], ...]
    # What is not proven, as sentences.
    said: str
    # Days before the ones shown, and how many of them are not covered.
    older: int
    older_lacking: int


def calendar_of(
    states: Mapping[date, str], underway: Sequence[Stretch], *, first_asked: date, today: date
) -> Calendar:
    """The last 30 UTC days; `states` is the coverage of the hunt, as far as it is known."""
    live = _with_underway(states, underway)
    shown_from = today - timedelta(days=DAYS_SHOWN - 1)
    begin = shown_from - timedelta(days=shown_from.weekday())
    end = today + timedelta(days=6 - today.weekday())
    cells = [
        DayCell(day, live.get(day, NOT_ASKED) if shown_from <= day <= today else NOT_ASKED)
        for day in each_day(begin, end)
    ]
    counts = Counter(cell.state for cell in cells if cell.state)
    asked_before = [day for day in states if first_asked <= day < shown_from]
    return Calendar(
        weeks=tuple(_weeks(cells)),
        legend=tuple((state, words, counts[state]) for state, words in _LEGEND.items() if counts[state]),
        said=not_proven(live),
        older=len(asked_before),
        older_lacking=sum(1 for day in asked_before if live[day] != COVERED),
    )


def not_proven(states: Mapping[date, str]) -> str:
    """In words, what nobody may conclude from these days."""
    if not states:
        return "No day has been asked yet, so nothing is proven."
    by_state = {state: sorted(day for day in states if states[day] == state) for state in _LEGEND}
    sentences = []
    if missing := by_state[OWED]:
        sentences.append(f"{_days(missing)} could not be asked.")
    if partial := by_state[PARTIAL]:
        sentences.append(f"{_days(partial)} {_is(partial)} there in part only.")
    if going_on := by_state[ASKING] + by_state[WAITING]:
        sentences.append(f"{_days(sorted(going_on))} {_is(going_on)} still being asked.")
    if lacking := [*missing, *partial, *going_on]:
        them = "that day" if len(lacking) == 1 else f"these {len(lacking)} days"
        sentences.append(f"Until then “nothing seen” is not proven for {them}.")
    if silent := by_state[NO_TELEMETRY]:
        sentences.append(
            f"{_days(silent)}: the source recorded nothing at all, of any file, so nothing is proven there."
        )
    if gone := by_state[OUT_OF_RETENTION]:
        sentences.append(f"{_days(gone)} {_is(gone)} no longer kept by the source.")
    return " ".join(sentences) or f"All {len(states)} days are covered: what is not listed was not recorded."


def _with_underway(states: Mapping[date, str], underway: Iterable[Stretch]) -> dict[date, str]:
    live = dict(states)
    for stretch in underway:
        for day in each_day(stretch.first_day, stretch.last_day):
            if live.get(day, OWED) == OWED and stretch.is_asking:
                live[day] = ASKING
            elif live.get(day, OWED) == OWED:
                live[day] = WAITING
            elif live[day] == WAITING and stretch.is_asking:
                live[day] = ASKING
    return live


def _weeks(cells: Sequence[DayCell]) -> Iterable[Week]:
    named = None
    for start in range(0, len(cells), 7):
        days = tuple(cells[start : start + 7])
        month = f"{days[0].day:%b}"
        yield Week("" if month == named else month, days)
        named = month


def _days(days: Sequence[date]) -> str:
    """ "6 Nov", "6 and 19 Nov" as "6 Nov and 19 Nov", "12 days from 1 Nov to 24 Nov" when there are many."""
    if len(days) > _DAYS_NAMED:
        return f"{len(days):,} days from {_day(days[0])} to {_day(days[-1])}"
    named = [_day(day) for day in days]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _is(days: Sequence[date]) -> str:
    return "is" if len(days) == 1 else "are"
