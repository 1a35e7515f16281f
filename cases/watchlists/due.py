"""What the clock publishes: lists with decisions that wait, and lists that formats say too wide by now."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db import DatabaseError

from cases.watchlists.models import Publication, Watchlist
from cases.watchlists.pending import is_paused, pending
from cases.watchlists.publishing import CannotPublish, publish
from cases.watchlists.widened import widened_over_something_open
from footprint.ledger.record import Actor

_LOG = structlog.get_logger(__name__)
_DECIDED = "Decisions since the last version"
_OPEN_BELOW = "Something below a blocked name is not blocked by now"


def publish_due() -> list[Publication]:
    """Each list that has been quiet for long enough or has waited too long."""
    return _publish_where(lambda each: pending(each).is_due, "publish_due", _DECIDED)


def publish_narrower() -> list[Publication]:
    """Each list with a name that some formats say wider, and below which something is not blocked by now.

    No decision says so: it was seen for the first time.
    """
    return _publish_where(
        widened_over_something_open,
        "publish_narrower",
        _OPEN_BELOW,
    )


def _publish_where(is_due: Callable[[Watchlist], bool], task: str, why: str) -> list[Publication]:
    if is_paused():
        return []
    made = [_publish_if(is_due, each, task, why) for each in Watchlist.objects.filter(paused_why="")]
    return [publication for publication in made if publication is not None]


def _publish_if(
    is_due: Callable[[Watchlist], bool], watchlist: Watchlist, task: str, why: str
) -> Publication | None:
    """What goes wrong with one list must not keep the others from going out."""
    try:
        return publish(actor=Actor.clock(task), watchlist=watchlist, why=why) if is_due(watchlist) else None
    except (CannotPublish, DatabaseError) as error:
        _LOG.error("list_not_published", watchlist=watchlist.slug, error=str(error))
        return None
