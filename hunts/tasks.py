"""Tasks take ids: they wake up, look at the database, and do what is there to be done."""

from __future__ import annotations

import os

from celery import Task, shared_task
from django.conf import settings

from hunts import asking, due, importing, lookups, probing, store_sweep, sweep, upkeep

# A message that the broker hands out again meanwhile finds the work claimed.
_STORE_TIME = {
    "soft_time_limit": settings.FOOTPRINT.store_timeout_seconds,
    "time_limit": settings.FOOTPRINT.store_timeout_seconds + 60,
}


@shared_task(name="hunts.tasks.ask_slice", bind=True)
def ask_slice(self: Task[[int], None], slice_id: int) -> None:
    asking.ask_slice(slice_id, f"{self.request.hostname} {os.getpid()}")


@shared_task(name="hunts.tasks.start_due_hunts")
def start_due_hunts() -> None:
    due.start_due_hunts()


@shared_task(name="hunts.tasks.requeue_stale")
def requeue_stale() -> None:
    sweep.sweep()
    lookups.hint_look_ups()


@shared_task(name="hunts.tasks.look_up")
def look_up(look_up_id: int) -> None:
    lookups.look_up(look_up_id)


@shared_task(name="hunts.tasks.probe_source")
def probe_source(source_id: int, person_id: int) -> None:
    probing.answer_wish(source_id, person_id)


@shared_task(name="hunts.tasks.import_upload", bind=True, **_STORE_TIME)
def import_upload(self: Task[[int], None], upload_id: int) -> None:
    importing.import_upload(upload_id, f"{self.request.hostname} {os.getpid()}")


@shared_task(name="hunts.tasks.remove_import", bind=True, **_STORE_TIME)
def remove_import(self: Task[[int], None], removal_id: int) -> None:
    upkeep.do_removal(removal_id, f"{self.request.hostname} {os.getpid()}")


@shared_task(name="hunts.tasks.tend_stores", **_STORE_TIME)
def tend_stores() -> None:
    store_sweep.tend_stores()
