"""Tasks look at the database and do what is there to be done."""

from __future__ import annotations

from celery import shared_task

from cases.watchlists import publishing


@shared_task(name="cases.watchlists.tasks.publish_due")
def publish_due() -> None:
    publishing.publish_due()
