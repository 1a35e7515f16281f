"""Wakes workers up. What is to be done stands in the database, so a message that is lost costs only time."""

from __future__ import annotations

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def wake(task: str, *arguments: object, after_seconds: float = 0.0) -> bool:
    """Sends one message for the task of that name. Returns whether the broker took it."""
    try:
        current_app.send_task(task, args=list(arguments), countdown=after_seconds or None)
    except OperationalError:
        log.warning("broker_unreachable", task=task, arguments=arguments)
        return False
    return True
