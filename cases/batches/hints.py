"""Wake-up calls. The database holds the work; a hint that is lost is sent again by the sweep."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from celery import current_app
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from cases.models import Batch

log = structlog.get_logger(__name__)


def hint(ids: Sequence[int]) -> bool:
    """Tells the workers to look at these batches. Returns whether the broker took the messages."""
    try:
        for each in ids:
            current_app.send_task("cases.tasks.work_on_batch", args=[each])
    except OperationalError:
        log.warning("broker_unreachable", batches=len(ids))
        return False
    Batch.objects.filter(pk__in=ids, state=Batch.State.QUEUED).update(hinted_at=Now())
    return True
