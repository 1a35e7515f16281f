"""Names of a block list that some formats say with everything below them, while something there is open."""

from __future__ import annotations

from django.db import connection

from cases.watchlists.models import Watchlist

# Read backwards, the names below one lie beside each other in an index. What a merge brought a moment ago is
# not judged yet, and may be blocked by another decision: it is looked at the next time.
_OPEN_BELOW = """
    SELECT EXISTS (
        SELECT FROM watchlists_publishedentry e
         WHERE e.watchlist_id = %s AND e.removed_in IS NULL AND e.kind = 'name' AND e.may_widen
           AND EXISTS (
               SELECT FROM cases_casevalue v
                WHERE v.kind = 'name' AND v.verdict <> 'blocked'
                  AND reverse(v.value) >= reverse(e.value) || '.'
                  AND reverse(v.value) < reverse(e.value) || '/'
                  AND NOT EXISTS (SELECT FROM cases_endpoint n
                                   WHERE n.case_id = v.case_id AND n.value = v.value AND NOT n.settled)))
"""


def widened_over_something_open(watchlist: Watchlist) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_BELOW, [watchlist.pk])
        row: tuple[bool] = cursor.fetchone()
    return row[0]
