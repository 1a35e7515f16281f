"""Tasks look at the database and do what is there to be done."""

from __future__ import annotations

import os

from celery import Task, shared_task

from cases.watchlists import due, enforcement, hints, reconciling


@shared_task(name="cases.watchlists.tasks.publish_due")
def publish_due() -> None:
    if due.publish_due():
        hints.hint_targets()


@shared_task(name="cases.watchlists.tasks.publish_narrower")
def publish_narrower() -> None:
    if due.publish_narrower():
        hints.hint_targets()


@shared_task(name="cases.watchlists.tasks.look_after_targets")
def look_after_targets() -> None:
    enforcement.count_fetches()
    hints.hint_targets()


@shared_task(name="cases.watchlists.tasks.reconcile_target", bind=True)
def reconcile_target(self: Task[[int], None], target_id: int) -> None:
    if reconciling.reconcile(target_id, f"{self.request.hostname} {os.getpid()}"):
        hints.hint_targets()
