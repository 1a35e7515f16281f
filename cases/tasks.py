"""Tasks look at the database and do what is there to be done."""

from __future__ import annotations

from celery import shared_task

from cases import actions
from cases.counting import sum_up_counts


@shared_task(name="cases.tasks.expire_decisions")
def expire_decisions() -> None:
    actions.expire_due()


@shared_task(name="cases.tasks.sum_up_value_counts")
def sum_up_value_counts() -> None:
    sum_up_counts()
