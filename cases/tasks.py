"""Tasks look at the database and do what is there to be done."""

from __future__ import annotations

from celery import shared_task

from cases import actions


@shared_task(name="cases.tasks.expire_decisions")
def expire_decisions() -> None:
    actions.expire_due()
