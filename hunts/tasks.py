"""Tasks take ids: they wake up, look at the database, and do what is there to be done."""

from __future__ import annotations

import os

from celery import Task, shared_task

from hunts import asking, due, sweep


@shared_task(name="hunts.tasks.ask_slice", bind=True)
def ask_slice(self: Task[[int], None], slice_id: int) -> None:
    asking.ask_slice(slice_id, f"{self.request.hostname} {os.getpid()}")


@shared_task(name="hunts.tasks.start_due_hunts")
def start_due_hunts() -> None:
    due.start_due_hunts()


@shared_task(name="hunts.tasks.requeue_stale")
def requeue_stale() -> None:
    sweep.sweep()
