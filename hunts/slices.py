"""The life of a slice: claimed under a lease, fenced by its claim's number, finished in one transaction.

A worker that lost its lease holds an old fence and writes nothing. Everything a slice yields, and its
own end, stand or fall together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from cases.merging import Merged, RowToMerge, merge
from hunts.coverage import Part, coverage_of, says_as_much
from hunts.kql.plan import Plan
from hunts.models import Coverage, Run, Slice


class FencedOff(Exception):
    """Someone else holds the slice by now, or it has ended; what this worker brings is dropped."""


@dataclass(frozen=True, slots=True)
class Claim:
    slice_id: int
    run_id: int
    fence: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What one answer took: rows, bytes, seconds, and the text that was sent."""

    kql: str
    rows: int
    bytes: int
    seconds: float
    said: str = ""


_CLAIM = """
    UPDATE hunts_slice SET state = 'asking', fence = fence + 1, worker = %(worker)s, said = '',
           lease_until = clock_timestamp() + %(lease)s * interval '1 second',
           started_at = clock_timestamp()
     WHERE id = %(id)s AND state = 'waiting' AND (not_before IS NULL OR not_before <= clock_timestamp())
       AND EXISTS (SELECT 1 FROM hunts_run r WHERE r.id = run_id AND r.cancel_asked_at IS NULL
                    AND r.state IN ('queued', 'running'))
    RETURNING run_id, fence
"""

_RENEW = """
    UPDATE hunts_slice s SET lease_until = clock_timestamp() + %(lease)s * interval '1 second'
      FROM hunts_run r
     WHERE s.id = %(id)s AND s.fence = %(fence)s AND s.state = 'asking' AND r.id = s.run_id
    RETURNING r.cancel_asked_at IS NOT NULL
"""


def claim(slice_id: int, worker: str) -> Claim | None:
    """Takes the slice for this worker, or returns None: someone has it, or it is not due."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _CLAIM, {"id": slice_id, "worker": worker[:100], "lease": settings.FOOTPRINT.lease_seconds}
        )
        found = cursor.fetchone()
        if found is None:
            return None
        run_id, fence = found
        Run.objects.filter(pk=run_id, state=Run.State.QUEUED).update(
            state=Run.State.RUNNING, started_at=Now()
        )
        Run.objects.filter(pk=run_id).update(version=F("version") + 1)
    return Claim(slice_id, run_id, fence)


def renew(held: Claim) -> bool:
    """Extends the lease. Returns whether to go on: False when fenced off or the run is being cancelled."""
    with connection.cursor() as cursor:
        cursor.execute(
            _RENEW, {"id": held.slice_id, "fence": held.fence, "lease": settings.FOOTPRINT.lease_seconds}
        )
        found = cursor.fetchone()
    return found is not None and not found[0]


def note_question(held: Claim, kql: str) -> None:
    """Keeps the text before it is sent, so that a question that fails can be read too."""
    Slice.objects.filter(pk=held.slice_id, fence=held.fence).update(kql=kql)


def finish_plan(held: Claim, plan: Plan, cost: Cost) -> list[int]:
    """Ends the plan and makes the slices it asks for; returns their ids, for hints after commit."""
    with transaction.atomic():
        planned = _locked(held)
        if _is_cancelled(planned):
            return []
        _mark_done(planned, cost, silent_days=sorted(plan.silent))
        made = Slice.objects.bulk_create(
            Slice(
                run=planned.run,
                purpose=Slice.Purpose.DAYS,
                file_kind=planned.file_kind,
                first_day=first,
                last_day=last,
                estimated_groups=groups,
            )
            for first, last, groups in plan.slices
        )
        _cover(_moved(held.run_id))
    return [each.pk for each in made]


def finish_days(held: Claim, rows: Sequence[RowToMerge], cost: Cost) -> None:
    """Merges the rows and ends the slice, together. The new endpoints are still unsettled."""
    with transaction.atomic():
        asked = _locked(held)
        if _is_cancelled(asked):
            return
        hunt = asked.run.hunt
        merged = merge(case_id=hunt.case_id, source=hunt.source.slug, rows=rows)
        _mark_done(asked, cost)
        _cover(_moved(held.run_id, merged))


def give_back(held: Claim, *, said: str, wait_seconds: float, counts: bool) -> None:
    """Puts the slice back for another try. `counts`: the source failed a question; three and it is over."""
    with transaction.atomic():
        asked = _locked(held)
        asked.attempts += 1 if counts else 0
        asked.said = said
        if _is_cancelled(asked):
            return
        if asked.attempts >= settings.FOOTPRINT.max_attempts:
            _end(asked, Slice.State.FAILED)
        else:
            _wait(asked, wait_seconds)
        _cover(_moved(held.run_id))


def fail(held: Claim, *, said: str) -> None:
    """Ends the slice: the same question would fail again."""
    with transaction.atomic():
        asked = _locked(held)
        asked.attempts += 1
        asked.said = said
        _end(asked, Slice.State.FAILED)
        _cover(_moved(held.run_id))


def lose(held_slice: Slice, max_losses: int) -> None:
    """A worker vanished and its lease ran out. The caller holds the slice's row lock."""
    held_slice.losses += 1
    if held_slice.losses >= max_losses:
        held_slice.said = f"{held_slice.losses} workers vanished while asking this; given up."
        _end(held_slice, Slice.State.FAILED)
    else:
        held_slice.said = "The worker vanished; asked again."
        _wait(held_slice, 0)
    _cover(_moved(held_slice.run_id))


def _locked(held: Claim) -> Slice:
    """Locks the slice; raises FencedOff when the claim no longer holds.

    Lock order here: the slice, what the merge writes, the run last. So a long merge holds up neither
    other slices of the run nor a cancel.
    """
    asked: Slice | None = (
        Slice.objects.select_for_update(of=("self",))
        .select_related("run__hunt__source")
        .filter(pk=held.slice_id, fence=held.fence, state=Slice.State.ASKING)
        .first()
    )
    if asked is None:
        raise FencedOff(held)
    return asked


def _is_cancelled(asked: Slice) -> bool:
    """Whether the run is being cancelled; then the slice ends here and a late answer is dropped."""
    if asked.run.cancel_asked_at is None:
        return False
    _end(asked, Slice.State.CANCELLED)
    _cover(_moved(asked.run_id))
    return True


def _wait(asked: Slice, seconds: float) -> None:
    asked.state = Slice.State.WAITING
    asked.lease_until = None
    asked.hinted_at = None
    asked.save()
    Slice.objects.filter(pk=asked.pk).update(not_before=Now() + timedelta(seconds=seconds))


def _mark_done(asked: Slice, cost: Cost, *, silent_days: Sequence[date] = ()) -> None:
    asked.kql = cost.kql
    asked.rows = cost.rows
    asked.bytes = cost.bytes
    asked.seconds = cost.seconds
    asked.said = cost.said
    asked.silent_days = list(silent_days)
    _end(asked, Slice.State.DONE)


def _end(asked: Slice, state: Slice.State) -> None:
    asked.state = state
    asked.lease_until = None
    asked.save()
    Slice.objects.filter(pk=asked.pk).update(ended_at=Now())


def _moved(run_id: int, merged: Merged | None = None) -> int:
    """Moves the run's version on, and its counts; takes the run's row lock until commit."""
    counts = (
        {}
        if merged is None
        else {
            "rows": F("rows") + merged.rows,
            "empty_rows": F("empty_rows") + merged.empty_rows,
            "new_endpoints": F("new_endpoints") + merged.new_endpoints,
            "new_values": F("new_values") + merged.new_values,
        }
    )
    Run.objects.filter(pk=run_id).update(version=F("version") + 1, **counts)
    return run_id


def _cover(run_id: int) -> None:
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
        )
        for each in run.slices.all()
    ]
    states = coverage_of(run.first_day, run.last_day, run.opened_at.astimezone(UTC).date(), parts)
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
