"""What no decision asks for any more, or has left a list, and is in force outside all the same."""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from cases.verdicts.in_force import IN_FORCE
from cases.watchlists.computing import REACHED, Rule
from cases.watchlists.formats.sayable import sayable
from cases.watchlists.models import Watchlist
from cases.watchlists.querysets import MAY_COME

AT_MOST = 50
REVOKED_FOR = timedelta(days=30)
UNPUBLISHED = "no decision says so any more, and the list has not been published since"


class StillThere(NamedTuple):
    """At a target, or in a feed that a consumer fetched last before the entry left."""

    kind: str
    value: str
    where: str
    since: datetime | None
    words: str


class StillInForce(NamedTuple):
    shown: list[StillThere]
    total: int


# Still published, and no decision in force says so: nobody has published since, or a version was put back.
_UNDECIDED = f"""
    undecided AS MATERIALIZED (
        SELECT e.kind, e.value, e.may_widen, e.added_in FROM watchlists_publishedentry e
         WHERE e.watchlist_id = %(list)s AND e.removed_in IS NULL
           AND NOT EXISTS (SELECT FROM cases_decision d WHERE d.id = e.decision_number AND {IN_FORCE})
           AND NOT EXISTS (SELECT FROM cases_decision d
                            WHERE d.subject_kind = e.kind AND d.subject = e.value AND {IN_FORCE}
                              AND d.verdict = %(verdict)s AND d.scope = ANY(%(scopes)s) AND {REACHED}))
"""
_LISTED = """
    SELECT FROM watchlists_publishedentry c
     WHERE c.watchlist_id = %(list)s AND c.removed_in IS NULL AND c.kind = {0}.kind AND c.value = {0}.value
"""
_FIRST_FETCH = """
    LEFT JOIN LATERAL (SELECT min(at) AS at FROM watchlists_fetch f
                        WHERE f.consumer_id = c.id AND f.number >= e.added_in {0}) f ON true
"""
# A firewall keeps its last list when it may fetch no more; somebody should look after it for a while.
_CONSUMERS = """
    (SELECT * FROM watchlists_consumer
      WHERE watchlist_id = %(list)s
        AND (revoked_at IS NULL OR revoked_at > clock_timestamp() - %(revoked_for)s)) c
"""
_SAYS = """
    EXISTS (SELECT FROM unnest(%(formats)s::text[], %(kinds_said)s::text[], %(widened)s::boolean[])
                        AS s (format, kind, may_widen)
             WHERE s.format = c.format AND s.kind = e.kind AND s.may_widen = e.may_widen)
"""
_STILL = f"""
    SELECT r.kind, r.value, t.title AS where, r.accepted_at AS since,
           CASE WHEN u.kind IS NULL THEN r.words ELSE %(unpublished)s END AS words
      FROM watchlists_receipt r JOIN watchlists_target t ON t.id = r.target_id
      LEFT JOIN undecided u ON u.kind = r.kind AND u.value = r.value
     WHERE t.watchlist_id = %(list)s AND r.state <> 'withdrawn'
       AND (r.accepted_at IS NOT NULL OR (r.state = 'pending' AND r.content <> '')
            OR (r.state IN ('pending', 'drifted')
                AND greatest(r.tried_at, r.sent_at) > clock_timestamp() - %(may_come)s))
       AND (u.kind IS NOT NULL OR NOT EXISTS ({_LISTED.format("r")}))
    UNION ALL
    SELECT e.kind, e.value, c.name, f.at,
           CASE WHEN c.revoked_at IS NULL THEN 'fetched version ' || c.holds || ' last'
                ELSE 'was revoked, and may keep version ' || c.holds || ', which it fetched last' END
      FROM {_CONSUMERS}
      JOIN watchlists_publishedentry e ON e.watchlist_id = c.watchlist_id
       AND e.removed_in > c.holds AND e.added_in <= c.holds
      {_FIRST_FETCH.format("AND f.number < e.removed_in")}
     WHERE NOT EXISTS ({_LISTED.format("e")}) AND {_SAYS}
    UNION ALL
    SELECT e.kind, e.value, c.name, f.at, %(unpublished)s
      FROM {_CONSUMERS} JOIN undecided e ON e.added_in <= c.holds
      {_FIRST_FETCH.format("")}
     WHERE {_SAYS}
"""

_LONGEST = f"""
    WITH {_UNDECIDED}
    SELECT *, count(*) OVER () FROM ({_STILL}) still ORDER BY since NULLS LAST, value LIMIT %(most)s
"""


def still_in_force(watchlist: Watchlist) -> StillInForce:
    """The longest first."""
    said = sayable(watchlist.verdict)
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {
            "list": watchlist.pk,
            "most": AT_MOST,
            "unpublished": UNPUBLISHED,
            "may_come": MAY_COME,
            "revoked_for": REVOKED_FOR,
            "formats": [each.format for each in said],
            "kinds_said": [each.kind for each in said],
            "widened": [each.may_widen for each in said],
        }
        cursor.execute(_LONGEST, asked | Rule.of(watchlist).parameters)
        rows = cursor.fetchall()
    return StillInForce([StillThere(*row[:-1]) for row in rows], rows[0][-1] if rows else 0)
