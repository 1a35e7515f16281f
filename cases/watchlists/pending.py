"""What waits for the next publication, and whether anything may be published at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.db import connection

from cases.watchlists.models import Publishing, Watchlist


@dataclass(frozen=True, slots=True)
class Pending:
    """Decisions since a list was last looked at; `first` and `last` are None when there are none."""

    changes: int
    first: datetime | None
    last: datetime | None
    now: datetime
    # When the list is published, of a day in UTC; with none soon after each decision.
    times: tuple[time, ...] = ()

    @property
    def is_due(self) -> bool:
        if self.first is None or self.last is None:
            return False
        if self.times:
            return self.first <= _passed_last(self.times, self.now)
        quiet = (self.now - self.last).total_seconds() >= settings.FOOTPRINT.publish_quiet_seconds
        return quiet or (self.now - self.first).total_seconds() >= settings.FOOTPRINT.publish_longest_seconds


def _passed_last(times: Sequence[time], now: datetime) -> datetime:
    today = now.astimezone(UTC).date()
    moments = (datetime.combine(day, at, UTC) for day in (today, today - timedelta(days=1)) for at in times)
    return max(moment for moment in moments if moment <= now)


_PENDING = """
    SELECT count(at), min(at), max(at), clock_timestamp() FROM (
        SELECT made_at AS at FROM cases_decision WHERE made_at > %(as_of)s AND state <> 'proposed'
        UNION ALL SELECT ended_at FROM cases_decision WHERE ended_at > %(as_of)s
        UNION ALL SELECT expires_at FROM cases_decision
                   WHERE state = 'in force' AND expires_at > %(as_of)s AND expires_at <= clock_timestamp()
        UNION ALL SELECT rule_changed_at FROM watchlists_watchlist
                   WHERE id = %(list)s AND rule_changed_at > %(as_of)s
    ) changes
"""


def pending(watchlist: Watchlist) -> Pending:
    with connection.cursor() as cursor:
        cursor.execute(_PENDING, {"as_of": watchlist.as_of or "-infinity", "list": watchlist.pk})
        changes, first, last, now = cursor.fetchone()
    return Pending(changes, first, last, now, tuple(watchlist.publish_at))


def is_paused() -> Publishing | None:
    return Publishing.objects.filter(paused_at__isnull=False).select_related("paused_by").first()
