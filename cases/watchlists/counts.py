"""What publishing would change: the computed entries against those of the newest version."""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from cases.watchlists.computing import Rule, compute
from cases.watchlists.models import Watchlist

# A list with fewer entries is not held for what it loses.
HELD_FROM = 20


@dataclass(frozen=True, slots=True)
class Counts:
    """What publishing the computed entries would change. `lost` left by other than single decisions."""

    before: int
    entries: int
    added: int
    removed: int
    replaced: int
    lost: int
    sha256: str

    @property
    def changes(self) -> bool:
        return bool(self.added or self.removed or self.replaced)

    @property
    def is_alarming(self) -> bool:
        return self.before >= HELD_FROM and self.lost * 2 > self.before


CURRENT = "watchlists_publishedentry e WHERE e.watchlist_id = %(list)s AND e.removed_in IS NULL"
_JOINED = f"""
    (SELECT * FROM {CURRENT}) e FULL JOIN watchlists_wanted w ON w.kind = e.kind AND w.value = e.value
      LEFT JOIN cases_decision d ON w.kind IS NULL AND d.id = e.decision_number
"""
SAME = "w.decision_number = e.decision_number AND w.may_widen = e.may_widen"
# Undone or superseded together with many others, by a batch or by a list that was taken in: a person said so
# once, not for each.
IN_BULK = """
    (EXISTS (SELECT FROM cases_batch b WHERE b.id = d.batch_id AND b.task = 'undoing')
     OR EXISTS (SELECT FROM cases_decision n
                 WHERE n.supersedes_id = d.id
                   AND (n.batch_id IS NOT NULL
                        OR EXISTS (SELECT FROM cases_intakeline l
                                    WHERE l.decision_id = n.id AND l.outcome IN ('made', 'proposed')))))
"""
_COUNT = f"""
    SELECT count(e.kind), count(w.kind), count(*) FILTER (WHERE e.kind IS NULL),
           count(*) FILTER (WHERE w.kind IS NULL),
           count(*) FILTER (WHERE w.kind IS NOT NULL AND e.kind IS NOT NULL AND NOT ({SAME})),
           count(*) FILTER (WHERE w.kind IS NULL AND NOT coalesce(
               d.state IN ('withdrawn', 'superseded') AND d.ended_by_id IS NOT NULL AND NOT {IN_BULK},
               false))
      FROM {_JOINED}
"""
_DIGEST = """
    SELECT encode(sha256(coalesce(string_agg(sha256(convert_to(
               kind || E'\\t' || value || E'\\t' || verdict || E'\\t' || decision_number, 'UTF8')),
           ''::bytea ORDER BY kind, value), ''::bytea)), 'hex') FROM watchlists_wanted
"""


def count(watchlist: Watchlist) -> Counts:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"list": watchlist.pk})
        numbers = cursor.fetchone()
        cursor.execute(_DIGEST)
        return Counts(*numbers, *cursor.fetchone())


def preview_of(watchlist: Watchlist, rule: Rule) -> Counts:
    """What publishing would change if the list had this rule."""
    with transaction.atomic():
        compute(rule)
        return count(watchlist)
