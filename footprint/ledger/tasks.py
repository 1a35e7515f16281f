"""Tasks of the ledger: due checkpoints, and verifications that somebody asked for on the page."""

from __future__ import annotations

import structlog
from celery import shared_task

from footprint.ledger import proof, sealing
from footprint.ledger.keys import CannotSeal

log = structlog.get_logger("footprint.security")


@shared_task(name="footprint.ledger.tasks.make_due_checkpoint")
def make_due_checkpoint() -> None:
    """Tried again with the next tick. Meanwhile the page Proof says that none is made."""
    try:
        sealing.make_due_checkpoint()
    except CannotSeal as error:
        log.error("checkpoint_not_made", error=str(error))


@shared_task(name="footprint.ledger.tasks.verify")
def verify(verification_id: int) -> None:
    proof.carry_out(verification_id)


@shared_task(name="footprint.ledger.tasks.wake_verifications")
def wake_verifications() -> None:
    proof.wake_stuck()
