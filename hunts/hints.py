"""Wake-up calls. The database holds the work; a hint that is lost is sent again by the sweep."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models.functions import Now

from footprint.waking import wake
from hunts.models import Run, Slice

# A message must not lie with a worker for long. What is due later is left to the sweep.
LONGEST_DELAY_SECONDS = 60.0


def hint(slice_ids: Sequence[int], *, after_seconds: float = 0.0) -> bool:
    """Tells the workers to look at these slices. Returns whether the broker took the messages."""
    if after_seconds > LONGEST_DELAY_SECONDS:
        return True
    if not all(wake("hunts.tasks.ask_slice", each, after_seconds=after_seconds) for each in slice_ids):
        return False
    _note_hinted(slice_ids)
    return True


def _note_hinted(slice_ids: Sequence[int]) -> None:
    """A slice that a worker holds by now needs no note, and is not waited for."""
    with transaction.atomic():
        waiting = Slice.objects.select_for_update(skip_locked=True).filter(
            pk__in=slice_ids, state=Slice.State.WAITING
        )
        found = [each.pk for each in waiting.order_by("pk")]
        Slice.objects.filter(pk__in=found).update(hinted_at=Now())


def hint_run(run: Run) -> bool:
    return hint(list(run.slices.filter(state=Slice.State.WAITING).values_list("pk", flat=True)))
