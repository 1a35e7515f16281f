"""Wake-up calls about targets. The database holds the work; the sweep sends again what was lost."""

from __future__ import annotations

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from cases.watchlists.holding import to_reconcile

log = structlog.get_logger(__name__)


def hint_targets() -> bool:
    """About every target that is due. Returns whether the broker took the messages; one too many claims
    nothing."""
    for pk in to_reconcile().order_by("pk").values_list("pk", flat=True):
        try:
            current_app.send_task("cases.watchlists.tasks.reconcile_target", args=[pk])
        except OperationalError:
            log.warning("broker_unreachable", target=pk)
            return False
    return True
