"""Tasks of the ledger: hourly checkpoints, and verifications that somebody asked for on the page."""

from __future__ import annotations

from celery import shared_task

from footprint.ledger import proof, sealing


@shared_task(name="footprint.ledger.tasks.make_checkpoint")
def make_checkpoint() -> None:
    sealing.make_checkpoint()


@shared_task(name="footprint.ledger.tasks.verify")
def verify(verification_id: int) -> None:
    proof.carry_out(verification_id)
