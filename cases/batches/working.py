"""What a worker does with a batch: step after step until it is over, or until others want the worker."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from cases.batches.answering import approve_step, reject_step
from cases.batches.claims import FencedOff, Held, claim, give_back
from cases.batches.deciding import decide_step
from cases.batches.hints import hint
from cases.batches.pace import Pace
from cases.batches.undoing import undo_step
from cases.models import Batch, BatchValue
from footprint.ledger.record import Actor

log = structlog.get_logger(__name__)

# A worker that is told to stop ends its task first; so none is long.
LONGEST_SECONDS = 20.0

Step = Callable[[Held, Actor, Pace], bool]
STEPS: dict[str, Step] = {
    Batch.Task.DECIDING: decide_step,
    Batch.Task.APPROVING: approve_step,
    Batch.Task.REJECTING: reject_step,
    Batch.Task.UNDOING: undo_step,
}


def work_on(pk: int, worker: str) -> None:
    held = claim(pk, worker)
    if held is None:
        return
    batch = Batch.objects.select_related("asked_by").get(pk=pk)
    actor, step = Actor.person(batch.asked_by), STEPS[batch.task]
    try:
        is_over = _steps(step, held, actor)
    except FencedOff:
        log.info("batch_fenced_off", batch=pk)
        return
    if is_over:
        _tidy(pk)
    else:
        give_back(held)
        hint([pk])


def _steps(step: Step, held: Held, actor: Actor) -> bool:
    began, pace = time.monotonic(), Pace()
    while time.monotonic() - began <= LONGEST_SECONDS:
        is_more = step(held, actor, pace)
        pace.end()
        if not is_more:
            return True
    return False


def _tidy(pk: int) -> None:
    """What it was frozen on is of no more use once all of it is decided."""
    if Batch.objects.filter(pk=pk, state=Batch.State.DONE).exists():
        BatchValue.objects.filter(batch=pk).delete()
