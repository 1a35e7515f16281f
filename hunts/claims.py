"""Claims on slices: a lease on the database's clock, fenced by the claim's number.

A worker that lost its lease holds an old fence and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from hunts.models import Run, Slice


class FencedOff(Exception):
    """Someone else holds the slice by now, or it has ended; what this worker brings is dropped."""


@dataclass(frozen=True, slots=True)
class Claim:
    slice_id: int
    run_id: int
    fence: int


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


def locked(held: Claim) -> Slice:
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
