"""What has left a list and is in force outside all the same, and since when."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import connection

from cases.watchlists.models import Watchlist

AT_MOST = 50


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


_LISTED = """
    SELECT FROM watchlists_publishedentry c
     WHERE c.watchlist_id = %(list)s AND c.removed_in IS NULL AND c.kind = {0}.kind AND c.value = {0}.value
"""
_STILL = f"""
    SELECT r.kind, r.value, t.title AS where, r.accepted_at AS since, r.words
      FROM watchlists_receipt r JOIN watchlists_target t ON t.id = r.target_id
     WHERE t.watchlist_id = %(list)s AND r.state <> 'withdrawn' AND r.accepted_at IS NOT NULL
       AND NOT EXISTS ({_LISTED.format("r")})
    UNION ALL
    SELECT e.kind, e.value, c.name, f.at, 'fetched version ' || c.holds || ' last'
      FROM watchlists_consumer c
      JOIN watchlists_publishedentry e ON e.watchlist_id = c.watchlist_id
       AND e.removed_in > c.holds AND e.added_in <= c.holds
      LEFT JOIN LATERAL (SELECT min(at) AS at FROM watchlists_fetch f
                          WHERE f.consumer_id = c.id AND f.number >= e.added_in AND f.number < e.removed_in
                        ) f ON true
     WHERE c.watchlist_id = %(list)s AND c.revoked_at IS NULL AND NOT EXISTS ({_LISTED.format("e")})
"""  # noqa: S608  # constants

_LONGEST = f"""
    SELECT *, count(*) OVER () FROM ({_STILL}) still ORDER BY since NULLS LAST, value LIMIT %(most)s
"""  # noqa: S608  # constants


def still_in_force(watchlist: Watchlist) -> StillInForce:
    """The longest first."""
    with connection.cursor() as cursor:
        cursor.execute(_LONGEST, {"list": watchlist.pk, "most": AT_MOST})
        rows = cursor.fetchall()
    return StillInForce([StillThere(*row[:-1]) for row in rows], rows[0][-1] if rows else 0)
