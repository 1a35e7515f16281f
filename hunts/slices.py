"""How a slice ends: finished, split, given back or failed, in one transaction.

Everything a slice yields, and its own end, stand or fall together. The parts of a day wait in the staging
table and are merged together by whoever ends the last of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from cases.merging import Merged, RowToMerge
from hunts import staging
from hunts.claims import Claim, locked
from hunts.kql.plan import Plan
from hunts.models import Slice, Source
from hunts.split_days import merge_day, merge_rows, parts_of_day
from hunts.splitting import Piece, pieces_of
from hunts.tally import cover, moved

# Questions in a row without an answer in time; then the source hangs, and nothing more is asked.
MOST_TIMEOUTS = 8


@dataclass(frozen=True, slots=True)
class Cost:
    """What one answer took: rows, bytes, seconds, and the text that was sent."""

    kql: str
    rows: int
    bytes: int
    seconds: float
    said: str = ""


def finish_plan(held: Claim, plan: Plan, cost: Cost) -> list[int]:
    """Ends the plan and makes the slices it asks for; returns their ids, for hints after commit."""
    with transaction.atomic():
        planned = locked(held)
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
        cover(moved(held.run_id, timeouts=0))
    return [each.pk for each in made]


def finish_days(held: Claim, rows: Sequence[RowToMerge], cost: Cost, *, in_part: bool = False) -> None:
    """Merges the rows and ends the slice, together. The new endpoints are still unsettled.

    `in_part`: these are not all rows, and the source had its tries.
    """
    with transaction.atomic():
        asked = locked(held)
        if _is_cancelled(asked):
            return
        _mark_done(asked, cost, Slice.State.PARTIAL if in_part else Slice.State.DONE)
        if asked.part:
            staging.stage(asked, rows)
            merged = merge_day(asked)
        else:
            merged = merge_rows(asked, rows)
        cover(moved(held.run_id, merged, timeouts=0))


def split(held: Claim, *, said: str, timed_out: bool) -> list[int]:
    """Asks for less at once: returns the ids of what is asked instead, or fails the slice.

    A part that has no answer in time is no smaller question than the one before: it counts as a try.
    """
    with transaction.atomic():
        asked = locked(held)
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
        merged = merge_day(asked) if asked.part else None
        cover(moved(held.run_id, merged, **({"timeouts": F("timeouts") + 1} if timed_out else {})))
    return [each.pk for each in made]


def give_back(held: Claim, *, said: str, wait_seconds: float, counts: bool) -> None:
    """Puts the slice back for another try. `counts`: the source failed a question; three and it is over."""
    with transaction.atomic():
        asked = locked(held)
        asked.said = said
        if _is_cancelled(asked):
            return
        merged = None
        if counts:
            merged = _count_attempt(asked, wait_seconds)
        else:
            _wait(asked, wait_seconds)
        cover(moved(held.run_id, merged))


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
            merged += [merge_day(each)] if each.part else []
        for one in merged or [None]:
            moved(run_id, one)
        cover(run_id)


def lose(held_slice: Slice, max_losses: int) -> None:
    """A worker vanished and its lease ran out. The caller holds the slice's row lock."""
    held_slice.losses += 1
    merged = None
    if held_slice.losses >= max_losses:
        held_slice.said = f"{held_slice.losses} workers vanished while asking this; given up."
        _end(held_slice, Slice.State.FAILED)
        merged = merge_day(held_slice) if held_slice.part else None
    else:
        held_slice.said = "The worker vanished; asked again."
        _wait(held_slice, 0)
    cover(moved(held_slice.run_id, merged))


def _end_held(held: Claim, state: Slice.State, said: str) -> None:
    with transaction.atomic():
        asked = locked(held)
        asked.attempts += 1
        asked.said = said
        _end(asked, state)
        cover(moved(held.run_id, merge_day(asked) if asked.part else None))


def _count_attempt(asked: Slice, wait_seconds: float) -> Merged | None:
    asked.attempts += 1
    if asked.attempts < settings.FOOTPRINT.max_attempts:
        _wait(asked, wait_seconds)
        return None
    _end(asked, Slice.State.FAILED)
    return merge_day(asked) if asked.part else None


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


def _is_cancelled(asked: Slice) -> bool:
    """Whether the run is being cancelled; then the slice ends here and a late answer is dropped."""
    if asked.run.cancel_asked_at is None:
        return False
    _end(asked, Slice.State.CANCELLED)
    if asked.part:
        staging.drop(parts_of_day(asked))
    cover(moved(asked.run_id))
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
