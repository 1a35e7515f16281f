"""An earlier version as it may come back today: what people have decided since holds for it, too."""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from django.db import connection

from cases.verdicts.in_force import IN_FORCE
from cases.watchlists.computing import COLUMNS, SCOPE, Rule, drop_tables, hold_back
from cases.watchlists.models import Watchlist

_NAMED = 3
# An exception from what is around it needs a decision of the same in force, with the same scope: the entry's
# own one or its successor. Without one the scope is none, so that whatever is around contradicts the entry.
_TAKE = f"""
    CREATE TEMPORARY TABLE watchlists_wanted ON COMMIT DROP AS
    SELECT {", ".join(f"e.{column}" for column in COLUMNS.split(", ") if column != "may_widen")},
           false AS may_widen,
           CASE WHEN e.kind IN ('address', 'network') THEN e.value::cidr END AS network,
           {SCOPE} AS scope
      FROM watchlists_publishedentry e
      LEFT JOIN cases_decision own ON own.id = e.decision_number
      LEFT JOIN cases_decision d ON {IN_FORCE}
       AND d.verdict = own.verdict AND d.subject_kind = own.subject_kind AND d.subject = own.subject
       AND d.scope = own.scope AND d.case_id IS NOT DISTINCT FROM own.case_id
       AND d.file_kind = own.file_kind AND d.file_key = own.file_key
     WHERE e.watchlist_id = %(list)s AND e.added_in <= %(number)s
       AND (e.removed_in IS NULL OR e.removed_in > %(number)s)
"""
# Of those that are on the list now nobody is asked again.
_COMING = """
      FROM watchlists_wanted w
     WHERE NOT EXISTS (SELECT FROM watchlists_publishedentry e
                        WHERE e.watchlist_id = %(list)s AND e.removed_in IS NULL
                          AND e.kind = w.kind AND e.value = w.value)
"""
_CONTRADICTED = f"""
    SELECT w.value, count(*) OVER () {_COMING}
       AND EXISTS (SELECT FROM watchlists_found f WHERE f.kind = w.kind AND f.value = w.value
                      AND f.against_id IS NOT NULL)
     ORDER BY w.value LIMIT {_NAMED}
"""
_WIDE = f"""
    SELECT CASE w.kind WHEN 'below' THEN '*.' ELSE '' END || w.value, count(*) OVER () {_COMING}
       AND w.kind IN ('below', 'network')
     ORDER BY w.value LIMIT {_NAMED}
"""


def restore(watchlist: Watchlist, number: int) -> None:
    """As `compute`, from a version: what may never leave the house, and networks with an allow inside, stay
    out, and in a list of allows whatever is blocked by now."""
    with connection.cursor() as cursor:
        drop_tables(cursor)
        cursor.execute(_TAKE, {"list": watchlist.pk, "number": number})
        hold_back(cursor, Rule.of(watchlist))


def why_second_person(watchlist: Watchlist) -> list[str]:
    """What a second person should see of the entries that would come back, each in a sentence."""
    causes = (
        (_CONTRADICTED, "would come back against a decision that is in force"),
        (_WIDE, "would come back and cover more than one name or address"),
    )
    told: list[str] = []
    with connection.cursor() as cursor:
        for query, words in causes:
            cursor.execute(query, {"list": watchlist.pk})
            if rows := cursor.fetchall():
                named, more = ", ".join(value for value, _ in rows), rows[0][1] - len(rows)
                told.append(f"{named}{f' and {more:,} more' if more else ''} {words}")
    return told
