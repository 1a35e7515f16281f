"""How a step ends, and how a batch does. Whoever calls has the batch's row locked."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models.functions import Now

from cases.batches.claims import lease
from cases.models import Batch
from footprint.ledger.events import Event
from footprint.ledger.record import Change, Subject

CASE_IS_CLOSED = "The case is closed; nothing is decided in it until it is reopened."
_COUNTED = (
    *("decided", "proposed", "superseded", "left_alone"),
    *("approved", "rejected", "withdrawn", "made_again"),
)


def subject_of(batch: Batch) -> Subject:
    return Subject("batch", str(batch.pk), batch.in_words)


def counts_of(batch: Batch) -> dict[str, object]:
    """For the ledger: what came of it so far."""
    return {"total": batch.total, **{name: getattr(batch, name) for name in _COUNTED}}


def go_on(ledger: Change, batch: Batch, *, position: int | None, done: int) -> bool:
    """Keeps where the next step begins, or ends the batch when there was nothing; returns which."""
    if position is None:
        finish(ledger, batch)
        return False
    batch.position = position
    batch.task_done += done
    batch.version += 1
    batch.lease_until = lease()
    batch.save(update_fields=["position", "task_done", "version", "lease_until", *_COUNTED])
    if batch.task_done >= batch.task_total:
        finish(ledger, batch)
        return False
    return True


def finish(ledger: Change, batch: Batch) -> None:
    end(batch, Batch.State.DONE, "")
    note(ledger, batch, Event.BATCH_FINISHED)


def fail(ledger: Change, batch: Batch, said: str) -> None:
    end(batch, Batch.State.FAILED, said)
    note(ledger, batch, Event.BATCH_FAILED)


def end(batch: Batch, state: Batch.State, said: str) -> None:
    batch.state, batch.said, batch.lease_until = state, said, None
    batch.version += 1
    batch.save(update_fields=["state", "said", "lease_until", "version", *_COUNTED])
    Batch.objects.filter(pk=batch.pk).update(ended_at=Now())


def note(
    ledger: Change,
    batch: Batch,
    event: Event,
    reason: str = "",
    *,
    before: Mapping[str, object] | None = None,
    **more: object,
) -> None:
    """`more` joins what is kept after."""
    ledger.add(
        event,
        subject_of(batch),
        case_number=batch.case_id,
        before=before,
        after={"task": str(batch.task), **counts_of(batch), **more},
        reason=reason or batch.said,
    )
