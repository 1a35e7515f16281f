"""Whether a block worked: where it is enforced, and what was seen all the same.

Of a sighting only its time is known, and of an endpoint the actions of all days together. So "seen after
block" says that the endpoint was seen later than the block took effect, and that connections of it were
recorded. Defender may log ConnectionSuccess for traffic that it blocked: its network protection decides
after the handshake.
"""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from cases.models import Case

WORDS = (
    "Defender may log ConnectionSuccess for traffic that it blocked, because it decides after the handshake."
)
DAYS = 30
_MOST_CASES = 50
_VALUES_NAMED = 3
# Failed and listening ones are none; the set of actions is open, so what is not known here is left out.
_CONNECTIONS = [
    *("ConnectionSuccess", "ConnectionRequest", "ConnectionFound", "ConnectionAttempt"),
    *("ConnectionAcknowledged", "InboundConnectionAccepted", "ConnectionSuccessAggregatedReport"),
    *(
        "HttpConnectionInspected",
        "SslConnectionInspected",
        "SshConnectionInspected",
        "SmtpConnectionInspected",
    ),
]
_BLOCKED = """
    cases_endpoint e
      LEFT JOIN watchlists_enforcement n ON e.name_verdict = 'blocked' AND n.decision_id = e.name_decision_id
      LEFT JOIN watchlists_enforcement a
             ON e.address_verdict = 'blocked' AND a.decision_id = e.address_decision_id
"""
_EFFECTIVE = "least(n.effective_at, a.effective_at)"
_BY = "CASE WHEN a.effective_at < n.effective_at OR n.by IS NULL THEN a.by ELSE n.by END"
# A set that was cut may have one.
_CONNECTS = "(e.actions && %(connections)s::text[] OR 'actions' = ANY(e.more))"


class Effect(NamedTuple):
    """Of the blocks on one value. `effective_at` is None when they are enforced nowhere."""

    effective_at: datetime | None
    by: str
    seen_at: datetime | None

    @property
    def is_ahead(self) -> bool:
        """Accepted, and not enforced yet."""
        return self.effective_at is not None and self.effective_at > timezone.now()


class SeenCase(NamedTuple):
    """A case with values that were seen after their block; a few of them by name."""

    case: Case
    values: int
    named: list[str]
    seen_at: datetime


def effects_of(case: Case, values: Sequence[str]) -> dict[str, Effect]:
    """Of those of the values that are blocked. One query."""
    asked: dict[str, Any] = {"case": case.pk, "values": list(values), "connections": _CONNECTIONS}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT value, min(effective_at), (array_agg(by ORDER BY effective_at NULLS LAST))[1],
                   max(last_seen) FILTER (WHERE last_seen > effective_at AND connects)
              FROM (SELECT e.value, e.last_seen, {_CONNECTS} AS connects, {_EFFECTIVE} AS effective_at,
                           {_BY} AS by
                      FROM {_BLOCKED}
                     WHERE e.case_id = %(case)s AND e.value = ANY(%(values)s) AND e.verdict = 'blocked') seen
             GROUP BY value
            """,
            asked,
        )
        return {value: Effect(at, by or "", seen) for value, at, by, seen in cursor.fetchall()}


def seen_after_block() -> list[SeenCase]:
    """In the last days, in cases that are looked after; where it was seen last comes first."""
    asked: dict[str, Any] = {
        "days": DAYS,
        "connections": _CONNECTIONS,
        "named": _VALUES_NAMED,
        "most": _MOST_CASES,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT seen.case_id, count(DISTINCT value), (array_agg(DISTINCT value))[1:%(named)s],
                   max(last_seen) AS seen_at
              FROM (SELECT e.case_id, e.value, e.last_seen, {_EFFECTIVE} AS effective_at FROM {_BLOCKED}
                     WHERE e.verdict = 'blocked' AND {_CONNECTS}
                       AND e.last_seen > statement_timestamp() - make_interval(days => %(days)s)) seen
              JOIN cases_case c ON c.id = seen.case_id AND c.state = ANY(%(live)s)
             WHERE last_seen > effective_at
             GROUP BY seen.case_id ORDER BY seen_at DESC LIMIT %(most)s
            """,
            asked | {"live": [str(state) for state in Case.LIVE]},
        )
        rows = cursor.fetchall()
    cases = Case.objects.in_bulk([case for case, *_ in rows])
    return [SeenCase(cases[case], count, named, at) for case, count, named, at in rows]
