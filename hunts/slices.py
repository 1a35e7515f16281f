"""The life of a slice: claimed under a lease, fenced by its claim's number, finished in one transaction.

A worker that lost its lease holds an old fence and writes nothing. Everything a slice yields, and its
own end, stand or fall together. The parts of a day wait in the staging table and are merged together by
whoever ends the last of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from cases.merging import Merged, RowToMerge, merge
from hunts import staging
from hunts.coverage import Part, coverage_of, each_day, says_as_much
from hunts.kql.plan import Plan
from hunts.models import Coverage, Run, Slice, Source
from hunts.splitting import Piece, pieces_of

# Questions in a row without an answer in time; then the source hangs, and nothing more is asked.
MOST_TIMEOUTS = 8


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
       AND EXISTS (SELECT 1 FROM hunts_run r JOIN hunts_hunt h ON h.id = r.hunt_id
                                 JOIN hunts_source c ON c.id = h.source_id
                    WHERE r.id = run_id AND r.cancel_asked_at IS NULL AND c.paused_at IS NULL
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
    """Just before it is sent: a question that fails can be read too, and counts for its source."""
    Slice.objects.filter(pk=held.slice_id, fence=held.fence).update(kql=kql, questions=F("questions") + 1)


def finish_plan(held: Claim, plan: Plan, cost: Cost) -> list[int]:
    """Ends the plan and makes the slices it asks for; returns their ids, for hints after commit."""
    with transaction.atomic():
        planned = _locked(held)
        if _is_cancelled(planned):
            return []
        _mark_done(planned, cost, Slice.State.DONE, silent_days=sorted(plan.silent))
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
        _cover(_moved(held.run_id, timeouts=0))
    return [each.pk for each in made]


def finish_days(held: Claim, rows: Sequence[RowToMerge], cost: Cost, *, in_part: bool = False) -> None:
    """Merges the rows and ends the slice, together. The new endpoints are still unsettled.

    `in_part`: these are not all rows, and the source had its tries.
    """
    with transaction.atomic():
        asked = _locked(held)
        if _is_cancelled(asked):
            return
        _mark_done(asked, cost, Slice.State.PARTIAL if in_part else Slice.State.DONE)
        if asked.part:
            staging.stage(asked, rows)
            merged = _merge_day(asked)
        else:
            merged = _merge(asked, rows)
        _cover(_moved(held.run_id, merged, timeouts=0))


def split(held: Claim, *, said: str, timed_out: bool) -> list[int]:
    """Asks for less at once: returns the ids of what is asked instead, or fails the slice.

    A part that has no answer in time is no smaller question than the one before: it counts as a try.
    """
    with transaction.atomic():
        asked = _locked(held)
        if _is_cancelled(asked):
            return []
        asked.said = said
        pieces = _pieces(asked, timed_out=timed_out)
        if pieces:
            _end(asked, Slice.State.SPLIT)
        elif timed_out:
            _count_attempt(asked, 0)
        else:
            asked.attempts += 1
            _end(asked, Slice.State.FAILED)
        made = Slice.objects.bulk_create(_child(asked, piece, len(pieces)) for piece in pieces)
        merged = _merge_day(asked) if asked.part else None
        _cover(_moved(held.run_id, merged, **({"timeouts": F("timeouts") + 1} if timed_out else {})))
    return [each.pk for each in made]


def give_back(held: Claim, *, said: str, wait_seconds: float, counts: bool) -> None:
    """Puts the slice back for another try. `counts`: the source failed a question; three and it is over."""
    with transaction.atomic():
        asked = _locked(held)
        asked.said = said
        if _is_cancelled(asked):
            return
        merged = None
        if counts:
            merged = _count_attempt(asked, wait_seconds)
        else:
            _wait(asked, wait_seconds)
        _cover(_moved(held.run_id, merged))


def throttle(held: Claim, source: Source, *, said: str, wait_seconds: float) -> None:
    """The source wants a pause: this slice and all that wait for the same source are asked after it."""
    give_back(held, said=said, wait_seconds=wait_seconds, counts=False)
    with transaction.atomic():
        waiting = Slice.objects.select_for_update(of=("self",), skip_locked=True).filter(
            run__hunt__source=source, state=Slice.State.WAITING
        )
        found = [each.pk for each in waiting.order_by("pk")]
        later = Now() + timedelta(seconds=wait_seconds)
        Slice.objects.filter(Q(not_before=None) | Q(not_before__lt=later), pk__in=found).update(
            not_before=later, said=said
        )


def fail(held: Claim, *, said: str) -> None:
    """Ends the slice: the same question would fail again."""
    _end_held(held, Slice.State.FAILED, said)


def out_of_retention(held: Claim, *, said: str) -> None:
    _end_held(held, Slice.State.OUT_OF_RETENTION, said)


def fail_waiting(run_id: int, *, said: str) -> None:
    """Nothing more of this run can be had: what waits fails too."""
    with transaction.atomic():
        waiting = Slice.objects.select_for_update(skip_locked=True).filter(
            run_id=run_id, state=Slice.State.WAITING
        )
        merged = []
        for each in waiting.order_by("pk"):
            each.said = said
            _end(each, Slice.State.FAILED)
            merged += [_merge_day(each)] if each.part else []
        for one in merged or [None]:
            _moved(run_id, one)
        _cover(run_id)


def lose(held_slice: Slice, max_losses: int) -> None:
    """A worker vanished and its lease ran out. The caller holds the slice's row lock."""
    held_slice.losses += 1
    merged = None
    if held_slice.losses >= max_losses:
        held_slice.said = f"{held_slice.losses} workers vanished while asking this; given up."
        _end(held_slice, Slice.State.FAILED)
        merged = _merge_day(held_slice) if held_slice.part else None
    else:
        held_slice.said = "The worker vanished; asked again."
        _wait(held_slice, 0)
    _cover(_moved(held_slice.run_id, merged))


def parts_of_day(part: Slice) -> list[Slice]:
    """What a split day is asked in, without the parts that were split again."""
    return list(
        Slice.objects.filter(
            run=part.run_id, purpose=part.purpose, file_kind=part.file_kind, first_day=part.first_day
        )
        .filter(last_day=part.last_day)
        .exclude(part="")
        .exclude(state=Slice.State.SPLIT)
        .order_by("part")
    )


def _end_held(held: Claim, state: Slice.State, said: str) -> None:
    with transaction.atomic():
        asked = _locked(held)
        asked.attempts += 1
        asked.said = said
        _end(asked, state)
        _cover(_moved(held.run_id, _merge_day(asked) if asked.part else None))


def _count_attempt(asked: Slice, wait_seconds: float) -> Merged | None:
    asked.attempts += 1
    if asked.attempts < settings.FOOTPRINT.max_attempts:
        _wait(asked, wait_seconds)
        return None
    _end(asked, Slice.State.FAILED)
    return _merge_day(asked) if asked.part else None


def _pieces(asked: Slice, *, timed_out: bool) -> list[Piece]:
    if timed_out and asked.part:
        return []
    whole = Piece(asked.first_day, asked.last_day, asked.part)
    return pieces_of(whole, into_parts=asked.purpose == Slice.Purpose.DAYS)


def _child(asked: Slice, piece: Piece, of_how_many: int) -> Slice:
    return Slice(
        run_id=asked.run_id,
        parent=asked,
        purpose=asked.purpose,
        file_kind=asked.file_kind,
        first_day=piece.first_day,
        last_day=piece.last_day,
        part=piece.part,
        estimated_groups=asked.estimated_groups // of_how_many,
    )


def _merge(asked: Slice, rows: Sequence[RowToMerge]) -> Merged:
    hunt = asked.run.hunt
    _end_statements_in_time()
    return merge(case_id=hunt.case_id, source=hunt.source.slug, rows=rows, since=asked.run.started_at)


def _end_statements_in_time() -> None:
    """A worker whose time is up cannot end a statement that waits for a lock: the database does."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{settings.FOOTPRINT.merge_timeout_seconds}s'")


def _merge_day(part: Slice) -> Merged | None:
    """Merges a split day once its last part has ended; what could not be had is left out of it."""
    # Two that end together wait for each other here: the later one sees both.
    Slice.objects.select_for_update().filter(
        run=part.run_id,
        purpose=part.purpose,
        file_kind=part.file_kind,
        first_day=part.first_day,
        last_day=part.last_day,
        part="",
    ).first()
    parts = parts_of_day(part)
    states = {each.state for each in parts}
    if states & {Slice.State.WAITING, Slice.State.ASKING}:
        return None
    if Slice.State.CANCELLED in states:
        staging.drop(parts)
        return None
    merged = [_merge(part, rows) for rows in staging.buckets_of(parts)]
    if states == {Slice.State.DONE}:
        staging.drop(parts)
    # Otherwise they wait for a part that may be asked again.
    return _together(merged)


def _together(merged: Sequence[Merged]) -> Merged:
    return Merged(*(sum(getattr(each, name.name) for each in merged) for name in fields(Merged)))


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
    if asked.part:
        staging.drop(parts_of_day(asked))
    _cover(_moved(asked.run_id))
    return True


def _wait(asked: Slice, seconds: float) -> None:
    asked.state = Slice.State.WAITING
    asked.lease_until = None
    asked.hinted_at = None
    asked.save()
    Slice.objects.filter(pk=asked.pk).update(not_before=Now() + timedelta(seconds=seconds))


def _mark_done(asked: Slice, cost: Cost, state: Slice.State, *, silent_days: Sequence[date] = ()) -> None:
    asked.kql = cost.kql
    asked.rows = cost.rows
    asked.bytes = cost.bytes
    asked.seconds = cost.seconds
    asked.said = cost.said
    asked.silent_days = list(silent_days)
    _end(asked, state)


def _end(asked: Slice, state: Slice.State) -> None:
    asked.state = state
    asked.lease_until = None
    asked.save()
    Slice.objects.filter(pk=asked.pk).update(ended_at=Now())


def _moved(run_id: int, merged: Merged | None = None, **more: object) -> int:
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
