"""The wake-up call for confirmed intakes. The sweep sends what a broker has lost."""

from __future__ import annotations

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def hint() -> bool:
    """Whether the broker took the message."""
    try:
        current_app.send_task("cases.tasks.land_intakes")
    except OperationalError:
        log.warning("broker_unreachable", intakes=1)
        return False
    return True
