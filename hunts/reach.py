"""Which days a run asks: its overlap, and what earlier runs left open. Pure: no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from hunts.coverage import OWED, PARTIAL, each_day

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reach:
    """`first_day` begins the overlap. `left` owed days are more than one run asks; `gone` are no longer
    kept by the source."""

    first_day: date
    owed: tuple[date, ...] = ()
    left: int = 0
    gone: tuple[date, ...] = ()

    def stretches(self, last_day: date) -> list[tuple[date, date]]:
        """Days beside each other are asked together, oldest first."""
        found: list[tuple[date, date]] = []
        for day in (*self.owed, *each_day(self.first_day, last_day)):
            if found and day - found[-1][1] == _DAY:
                found[-1] = (found[-1][0], day)
            else:
                found.append((day, day))
        return found


def reach_of(
    first_day: date, last_day: date, states: Mapping[date, str], *, oldest_kept: date | None, cap: int
) -> Reach:
    """`states`: what is known of the hunt's days. `oldest_kept`: the oldest whole day at the source."""
    begin = first_day if oldest_kept is None else min(max(first_day, oldest_kept), last_day)
    is_open = sorted(day for day, state in states.items() if state in (OWED, PARTIAL) and day < begin)
    asked = [day for day in is_open if oldest_kept is None or day >= oldest_kept]
    never_whole = {day for day in is_open if states[day] == OWED and day not in set(asked)}
    return Reach(
        first_day=begin,
        owed=tuple(asked[:cap]),
        left=max(0, len(asked) - cap),
        gone=tuple(sorted(never_whole | set(_before(first_day, begin)))),
    )


def _before(first: date, begin: date) -> Iterable[date]:
    return each_day(first, begin - _DAY) if first < begin else ()
