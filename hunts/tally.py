"""The tally of a run: its counts, its version, and what is proven by now about each of its days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date

from django.db.models import F

from cases.merging import Merged
from hunts.coverage import Part, coverage_of, each_day, says_as_much
from hunts.models import Coverage, Run, Slice


def moved(run_id: int, merged: Merged | None = None, **more: object) -> int:
    """Moves the run's version on, and its counts; takes the run's row lock until commit."""
    counts: dict[str, object] = (
        {}
        if merged is None
        else {
            "rows": F("rows") + merged.rows,
            "empty_rows": F("empty_rows") + merged.empty_rows,
            "new_endpoints": F("new_endpoints") + merged.new_endpoints,
            "new_values": F("new_values") + merged.new_values,
        }
    )
    Run.objects.filter(pk=run_id).update(version=F("version") + 1, **counts, **more)
    return run_id


def cover(run_id: int) -> None:
    """Writes what is proven by now.

    Reads the slices after the run's lock is held, so two that finish together see each other.
    """
    run = Run.objects.select_related("hunt").get(pk=run_id)
    parts = [
        Part(
            is_plan=each.purpose == Slice.Purpose.PLAN,
            is_done=each.state == Slice.State.DONE,
            first_day=each.first_day,
            last_day=each.last_day,
            silent=frozenset(each.silent_days),
            is_open=each.state in (Slice.State.WAITING, Slice.State.ASKING),
            is_in_part=each.state == Slice.State.PARTIAL,
            is_out=each.state == Slice.State.OUT_OF_RETENTION,
            is_part=bool(each.part),
        )
        for each in run.slices.exclude(state=Slice.State.SPLIT).defer("kql")
    ]
    states = _states(run, parts)
    known = dict(Coverage.objects.filter(hunt=run.hunt).values_list("day", "state"))
    Coverage.objects.bulk_create(
        [
            Coverage(hunt=run.hunt, day=day, state=state, run=run)
            for day, state in states.items()
            if says_as_much(state, known.get(day))
        ],
        update_conflicts=True,
        unique_fields=["hunt", "day"],
        update_fields=["state", "run", "at"],
    )


def _states(run: Run, parts: Sequence[Part]) -> dict[date, str]:
    over_until = run.opened_at.astimezone(UTC).date()
    asked = {*each_day(run.first_day, run.last_day), *run.owed_days}
    states = coverage_of(min(asked), max(asked), over_until, parts)
    return {day: state for day, state in states.items() if day in asked}
