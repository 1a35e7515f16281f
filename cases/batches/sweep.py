"""Finds batches that a dead worker, a lost message or a person who looked and went away left behind."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db.models.functions import Now

from cases.batches import ending
from cases.batches.claims import forgotten, lost
from cases.batches.hints import hint
from cases.models import Batch
from footprint.ledger.record import Actor, change

log = structlog.get_logger(__name__)

# A batch that kills its workers would kill the next one too.
MOST_LOSSES = 5

# Long enough to think it over, short enough that a frozen set is not of another world.
_DRAFT_LIVES = timedelta(days=1)


def sweep() -> None:
    take_back_lost()
    hint(forgotten())
    Batch.objects.filter(state=Batch.State.DRAFT, frozen_at__lt=Now() - _DRAFT_LIVES).delete()


def take_back_lost() -> None:
    """What a vanished worker committed stays; another goes on from there, until it has cost too many."""
    with change(actor=Actor.clock("sweep_batches")) as ledger:
        for batch in lost().order_by("pk"):
            log.warning("lease_ran_out", batch=batch.pk, worker=batch.worker)
            batch.losses += 1
            batch.state, batch.lease_until, batch.hinted_at = Batch.State.QUEUED, None, None
            batch.version += 1
            batch.save()
            if batch.losses >= MOST_LOSSES:
                ending.fail(ledger, batch, f"{batch.losses} workers vanished over it; given up.")
