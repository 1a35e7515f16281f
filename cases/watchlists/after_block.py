"""Whether a block worked: where it is enforced, and what was seen all the same.

Sightings are kept by day. A day that began after the block took effect, with a connection among its actions,
was seen after the block. Of the day on which the block took effect nobody can say whether the connection
came before or after; that is told as possible and claimed nowhere. Defender may log ConnectionSuccess for
traffic that it blocked: its network protection decides after the handshake.
"""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from cases.connecting import CONNECTIONS
from cases.models import Case
from cases.watchlists.formats.sayable import sayable

WORDS = (
    "Defender may log ConnectionSuccess for traffic that it blocked, because it decides after the handshake."
)
DAYS = 30
_MOST_CASES = 50
_VALUES_NAMED = 3
_CONNECTIONS = sorted(CONNECTIONS)
_BLOCKED = """
    cases_endpoint e
      LEFT JOIN watchlists_enforcement n ON e.name_verdict = 'blocked' AND n.decision_id = e.name_decision_id
      LEFT JOIN watchlists_enforcement a
             ON e.address_verdict = 'blocked' AND a.decision_id = e.address_decision_id
"""
# A target that has accepted it and not withdrawn it, or a feed whose last version that was fetched has it.
_IS_HELD = """
    (EXISTS (SELECT FROM watchlists_receipt r
              WHERE r.decision_number = {0} AND r.accepted_at IS NOT NULL AND r.state <> 'withdrawn')
     OR EXISTS (SELECT FROM watchlists_publishedentry p
                  JOIN watchlists_consumer c ON c.watchlist_id = p.watchlist_id AND c.revoked_at IS NULL
                   AND c.holds >= p.added_in AND (p.removed_in IS NULL OR p.removed_in > c.holds)
                 WHERE p.decision_number = {0}
                   AND EXISTS (
                       SELECT FROM unnest(%(formats)s::text[], %(kinds)s::text[], %(widened)s::boolean[])
                                       AS s (format, kind, may_widen)
                        WHERE s.format = c.format AND s.kind = p.kind AND s.may_widen = p.may_widen)))
"""
_EFFECTIVE = "least(n.effective_at, a.effective_at)"
_BY = "CASE WHEN a.effective_at < n.effective_at OR n.by IS NULL THEN a.by ELSE n.by END"
# Where nothing is known of a day's actions, those of the endpoint say whether it may have connected at all.
_SEEN = """
    CROSS JOIN LATERAL (
        SELECT max(s.last_seen) FILTER (WHERE s.connected AND s.first_seen > b.effective_at) AS seen_at,
               max(s.last_seen) FILTER (
                   WHERE CASE WHEN s.connected IS NULL THEN b.may_connect
                              ELSE s.connected AND s.first_seen <= b.effective_at END) AS possibly_at
          FROM cases_sighting s WHERE s.endpoint_id = b.id AND s.last_seen > b.effective_at
    ) seen
"""
_MAY_CONNECT = "(e.actions && %(connections)s::text[] OR 'actions' = ANY(e.more))"
# A short walk along an index in each case. A value with something blocked is blocked, or undecided while
# another of its endpoints is; no endpoint says so in an index, which every changed verdict would touch.
_SEEN_OF_LATE = """
    SELECT v.case_id, v.value, first.since
      FROM (SELECT greatest(statement_timestamp() - make_interval(days => %(days)s),
                            (SELECT min(effective_at) FROM watchlists_enforcement)) AS since) first
      CROSS JOIN cases_case c
      CROSS JOIN LATERAL (
        SELECT case_id, value FROM cases_casevalue
         WHERE case_id = c.id AND verdict = 'blocked' AND last_seen > first.since
        UNION ALL
        SELECT case_id, value FROM cases_casevalue
         WHERE case_id = c.id AND verdict = 'undecided' AND blocked > 0 AND last_seen > first.since) v
     WHERE c.state = ANY(%(live)s) AND EXISTS (SELECT FROM watchlists_enforcement)
"""


class Effect(NamedTuple):
    """Of the blocks on one value. `effective_at` is None when they are enforced nowhere."""

    effective_at: datetime | None
    by: str
    # Whether anybody who had it has it still.
    is_held: bool
    seen_at: datetime | None
    # Seen since, and not known whether with a connection, or whether that came before or after the block.
    possibly_at: datetime | None

    @property
    def is_ahead(self) -> bool:
        """Accepted, and not enforced yet."""
        return self.is_held and self.effective_at is not None and self.effective_at > timezone.now()


class SeenCase(NamedTuple):
    """A case with values that were seen after their block; a few of them by name."""

    case: Case
    values: int
    named: list[str]
    seen_at: datetime


def _said() -> dict[str, Any]:
    """What formats of block lists say whole."""
    said = [each for each in sayable("blocked") if each.is_whole]
    return {
        "formats": [each.format for each in said],
        "kinds": [each.kind for each in said],
        "widened": [each.may_widen for each in said],
    }


def effects_of(case: Case, values: Sequence[str]) -> dict[str, Effect]:
    """Of those of the values that are blocked. One query."""
    asked: dict[str, Any] = {"case": case.pk, "values": list(values), "connections": _CONNECTIONS, **_said()}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH b AS MATERIALIZED (
                SELECT e.id, e.value, {_MAY_CONNECT} AS may_connect, {_EFFECTIVE} AS effective_at,
                       {_BY} AS by, n.decision_id AS by_name, a.decision_id AS by_address
                  FROM {_BLOCKED}
                 WHERE e.case_id = %(case)s AND e.value = ANY(%(values)s) AND e.verdict = 'blocked'),
            held AS MATERIALIZED (
                SELECT id FROM (SELECT by_name FROM b UNION SELECT by_address FROM b) d (id)
                 WHERE {_IS_HELD.format("d.id")})
            SELECT value, coalesce(min(effective_at) FILTER (WHERE is_held), min(effective_at)),
                   (array_agg(by ORDER BY is_held DESC, effective_at NULLS LAST))[1], bool_or(is_held),
                   max(seen_at) FILTER (WHERE is_held), max(possibly_at) FILTER (WHERE is_held)
              FROM b {_SEEN}
              CROSS JOIN LATERAL (
                  SELECT EXISTS (SELECT FROM held WHERE held.id IN (b.by_name, b.by_address)) AS is_held) h
             GROUP BY value
            """,
            asked,
        )
        return {value: Effect(at, by or "", held, *seen) for value, at, by, held, *seen in cursor.fetchall()}


def seen_after_block() -> list[SeenCase]:
    """In the last days, in cases that are looked after; where it was seen last comes first."""
    asked: dict[str, Any] = {
        "days": DAYS,
        "connections": _CONNECTIONS,
        "named": _VALUES_NAMED,
        "most": _MOST_CASES,
        **_said(),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT b.case_id, count(DISTINCT b.value), (array_agg(DISTINCT b.value))[1:%(named)s],
                   max(seen.seen_at) AS seen_at
              FROM ({_SEEN_OF_LATE}) late
              CROSS JOIN LATERAL (
                SELECT e.id, e.case_id, e.value, e.last_seen, false AS may_connect,
                       {_EFFECTIVE} AS effective_at,
                       n.decision_id AS by_name, a.decision_id AS by_address
                  FROM {_BLOCKED}
                 WHERE e.case_id = late.case_id AND e.value = late.value AND e.verdict = 'blocked'
                   AND {_MAY_CONNECT} AND e.last_seen > late.since) b
              {_SEEN}
             WHERE b.last_seen > b.effective_at AND seen.seen_at IS NOT NULL
               AND ({_IS_HELD.format("b.by_name")} OR {_IS_HELD.format("b.by_address")})
             GROUP BY b.case_id ORDER BY seen_at DESC LIMIT %(most)s
            """,
            asked | {"live": [str(state) for state in Case.LIVE]},
        )
        rows = cursor.fetchall()
    cases = Case.objects.in_bulk([case for case, *_ in rows])
    return [SeenCase(cases[case], count, named, at) for case, count, named, at in rows]
