"""Who works on a batch: claimed under a lease, fenced by the claim's number, as slices are.

Every step renews the lease in its own transaction, so that no heartbeat is needed. Whoever lost the lease,
or whose batch was stopped, writes nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from cases.models import Batch
from cases.querysets import BatchQuerySet


class FencedOff(Exception):
    """Someone else holds the batch by now, or it was stopped."""


@dataclass(frozen=True, slots=True)
class Held:
    pk: int
    fence: int


def claim(pk: int, worker: str) -> Held | None:
    """Takes the batch for this worker, or returns None: someone has it, or nothing is to be done."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().filter(pk=pk, state=Batch.State.QUEUED).first()
        if batch is None:
            return None
        Batch.objects.filter(pk=pk).update(
            state=Batch.State.RUNNING,
            fence=F("fence") + 1,
            version=F("version") + 1,
            worker=worker[:100],
            started_at=Coalesce("started_at", Now()),
            lease_until=lease(),
        )
    return Held(pk, batch.fence + 1)


def locked(held: Held) -> Batch:
    """The row, locked; raises FencedOff when the claim no longer holds."""
    batch = (
        Batch.objects.select_for_update(of=("self",))
        .select_related("case", "file", "person", "asked_by")
        .filter(pk=held.pk, fence=held.fence, state=Batch.State.RUNNING)
        .first()
    )
    if batch is None:
        raise FencedOff(held)
    return batch


def give_back(held: Held) -> None:
    """Lets another worker, or this one later, go on with it."""
    Batch.objects.filter(pk=held.pk, fence=held.fence, state=Batch.State.RUNNING).update(
        state=Batch.State.QUEUED, lease_until=None, hinted_at=None, version=F("version") + 1
    )


def lost() -> BatchQuerySet:
    """Batches whose worker vanished, locked; what another transaction holds is passed over."""
    return Batch.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        state=Batch.State.RUNNING, lease_until__lt=Now()
    )


def forgotten() -> list[int]:
    """What waits and was hinted at too long ago, or never."""
    long_ago = Now() - timedelta(seconds=settings.FOOTPRINT.sweep_seconds)
    waiting = Batch.objects.filter(Q(hinted_at=None) | Q(hinted_at__lt=long_ago), state=Batch.State.QUEUED)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def lease() -> Any:
    return Now() + timedelta(seconds=settings.FOOTPRINT.lease_seconds)
