"""Tasks look at the database and do what is there to be done."""

from __future__ import annotations

import os

from celery import Task, shared_task

from cases import actions, settling
from cases.batches import sweep, working
from cases.counting import sum_up_counts
from cases.intakes.landing import land_waiting


@shared_task(name="cases.tasks.expire_decisions")
def expire_decisions() -> None:
    actions.expire_due()


@shared_task(name="cases.tasks.settle_waiting")
def settle_waiting() -> None:
    settling.settle_waiting()


@shared_task(name="cases.tasks.sum_up_value_counts")
def sum_up_value_counts() -> None:
    sum_up_counts()


@shared_task(name="cases.tasks.work_on_batch", bind=True)
def work_on_batch(self: Task[[int], None], batch_id: int) -> None:
    working.work_on(batch_id, f"{self.request.hostname} {os.getpid()}")


@shared_task(name="cases.tasks.sweep_batches")
def sweep_batches() -> None:
    sweep.sweep()


@shared_task(name="cases.tasks.land_intakes")
def land_intakes() -> None:
    land_waiting()
