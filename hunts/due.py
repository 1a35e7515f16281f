"""Starts what is due. The clock only ticks; what is due is in the database."""

from __future__ import annotations

from hunts.hints import hint_run
from hunts.models import Hunt
from hunts.schedule_actions import start_if_due


def start_due_hunts() -> int:
    """Returns how many runs were opened."""
    opened = 0
    for hunt_id in Hunt.objects.due().order_by("next_at").values_list("pk", flat=True):
        run = start_if_due(hunt_id)
        if run is not None:
            hint_run(run)
            opened += 1
    return opened
