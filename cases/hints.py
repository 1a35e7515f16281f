"""Wake-up calls of this room. The database holds the work; a hint that is lost is sent again by the clock."""

from __future__ import annotations

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from cases.models import Resettling

log = structlog.get_logger(__name__)


def hint_settling() -> bool:
    """Has a worker settle what was put off, if anything. Returns whether the broker took the message."""
    if not Resettling.objects.exists():
        return True
    try:
        current_app.send_task("cases.tasks.settle_waiting")
    except OperationalError:
        log.warning("broker_unreachable", works=1)
        return False
    return True
