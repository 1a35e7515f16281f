"""How far a run is, in numbers that a page can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hunts.models import Run, Slice


@dataclass(frozen=True, slots=True)
class Progress:
    """`seconds_left` is None while nothing is known yet: before the plan, and before the first answer."""

    run: Run
    is_planned: bool
    done: int
    total: int
    seconds_left: float | None
    # How many slices were too much for one query.
    split: int = 0
    # The source is paused; or nothing is being asked, and nothing will be before this time.
    is_paused: bool = False
    waits_until: datetime | None = None

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.is_planned and self.total else 0


def progress_of(run: Run, slices: Sequence[Slice], now: datetime) -> Progress:
    asked = [each for each in slices if each.state != Slice.State.SPLIT]
    plans = [each for each in asked if each.purpose == Slice.Purpose.PLAN]
    parts = [each for each in asked if each.purpose == Slice.Purpose.DAYS]
    ended = [each for each in parts if each.state not in (Slice.State.WAITING, Slice.State.ASKING)]
    is_planned = all(each.state == Slice.State.DONE for each in plans)
    return Progress(
        run=run,
        is_planned=is_planned,
        done=len(ended),
        total=len(parts),
        seconds_left=_seconds_left(run, ended, parts, now) if is_planned else None,
        split=len(slices) - len(asked),
        is_paused=run.hunt.source.is_paused,
        waits_until=_waits_until(asked, now),
    )


def _waits_until(asked: Sequence[Slice], now: datetime) -> datetime | None:
    if any(each.state == Slice.State.ASKING for each in asked):
        return None
    waiting = [each.not_before for each in asked if each.state == Slice.State.WAITING]
    times = [moment for moment in waiting if moment is not None and moment > now]
    return min(times) if times and len(times) == len(waiting) else None


def _seconds_left(run: Run, ended: Sequence[Slice], parts: Sequence[Slice], now: datetime) -> float | None:
    """By estimated groups, at the pace so far."""
    groups_done = sum(each.estimated_groups for each in ended)
    groups_open = sum(each.estimated_groups for each in parts) - groups_done
    if run.started_at is None or groups_done == 0:
        return None
    return (now - run.started_at).total_seconds() * groups_open / groups_done
