"""The entries of a publication, read back: whole, as a difference, and what has gone since the first one."""

# ruff: noqa: S608  # every part of a statement is a constant; values are parameters

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db import connection, transaction

from cases.watchlists.computing import COLUMNS, raw_rows_of, rows_of
from cases.watchlists.formats import Format, Gone, ListEntry, Published, Report
from cases.watchlists.models import Publication, Watchlist

# In which version an entry had left before it came back unchanged. One that only may widen, or not any more,
# leaves and comes in the same version.
_RETURNED = """
    coalesce((SELECT max(o.removed_in) FROM watchlists_publishedentry o
               WHERE o.watchlist_id = e.watchlist_id AND o.decision_number = e.decision_number
                 AND o.kind = e.kind AND o.value = e.value AND o.removed_in <= e.added_in
                 AND NOT EXISTS (SELECT FROM watchlists_publishedentry n
                                  WHERE n.watchlist_id = o.watchlist_id
                                    AND n.decision_number = o.decision_number
                                    AND n.kind = o.kind AND n.value = o.value
                                    AND n.added_in = o.removed_in)), 0)
"""
_ANY_RETURNED = """
    SELECT EXISTS (SELECT FROM watchlists_publishedentry o JOIN watchlists_publishedentry e
        ON e.watchlist_id = o.watchlist_id AND e.decision_number = o.decision_number
       AND e.kind = o.kind AND e.value = o.value AND e.added_in > o.removed_in
     WHERE o.watchlist_id = %s AND o.removed_in IS NOT NULL AND e.added_in <= %s)
"""
_HAS = "e.watchlist_id = %s AND e.added_in <= %s AND (e.removed_in IS NULL OR e.removed_in > %s)"


class Difference(NamedTuple):
    """Subjects only, in the order of kind and value, and cut; the counts are not."""

    added: list[ListEntry]
    removed: list[ListEntry]
    added_count: int
    removed_count: int


def heading(publication: Publication) -> Published:
    of = publication.watchlist
    number = publication.number or 0
    return Published(of.slug, publication.title, publication.about, of.verdict, number, publication.made_at)


def entries_of(publication: Publication) -> Iterator[ListEntry]:
    """A stream, inside an open transaction; without what had returned."""
    return _entries(publication, COLUMNS)


def read_for(format: type[Format], publication: Publication) -> tuple[Iterable[ListEntry], Iterable[Gone]]:
    """What the format writes, as streams inside an open transaction."""
    if not format.tells_changes:
        return entries_of(publication), ()
    has_returned = _has_returned(publication.watchlist_id, publication.number or 0)
    columns = f"{COLUMNS}, {_RETURNED}" if has_returned else COLUMNS
    return _entries(publication, columns), gone_before(publication)


def _entries(publication: Publication, columns: str) -> Iterator[ListEntry]:
    watchlist_id, number = publication.watchlist_id, publication.number or 0
    return rows_of(
        f"SELECT {columns} FROM watchlists_publishedentry e WHERE {_HAS} ORDER BY kind, value",
        (watchlist_id, number, number),
    )


def _has_returned(watchlist_id: int, number: int) -> bool:
    """Whether any entry ever came back unchanged: looking for it at each one of a long list takes long."""
    with connection.cursor() as cursor:
        cursor.execute(_ANY_RETURNED, [watchlist_id, number])
        row: tuple[bool] = cursor.fetchone()
    return row[0]


def report_of(format: type[Format], publication: Publication) -> Report:
    """What the format would leave out of it, or say wider or narrower. Reads all entries."""
    report = Report()
    with transaction.atomic():
        for _ in format(heading(publication)).texts(entries_of(publication), report):
            pass
    return report


def gone_before(publication: Publication) -> Iterator[Gone]:
    """What earlier publications had and this one has not, or has anew; each with when it left."""
    query = f"""
        SELECT {", ".join(f"e.{column}" for column in COLUMNS.split(", "))}, {_RETURNED}, p.made_at
          FROM watchlists_publishedentry e
          JOIN watchlists_publication p ON p.watchlist_id = e.watchlist_id AND p.number = e.removed_in
         WHERE e.watchlist_id = %s AND e.removed_in <= %s AND NOT EXISTS (
               SELECT FROM watchlists_publishedentry n WHERE n.watchlist_id = e.watchlist_id
                  AND n.kind = e.kind AND n.value = e.value AND n.decision_number = e.decision_number
                  AND n.added_in = e.removed_in)
         ORDER BY e.kind, e.value, e.decision_number, e.removed_in
    """
    rows = raw_rows_of(query, (publication.watchlist_id, publication.number or 0))
    return (Gone(ListEntry._make(row[:-1]), row[-1]) for row in rows)


def difference(watchlist: Watchlist, old: int, new: int, at_most: int) -> Difference:
    added, added_count = _only_in(watchlist, new, old, at_most)
    removed, removed_count = _only_in(watchlist, old, new, at_most)
    return Difference(added, removed, added_count, removed_count)


def _only_in(watchlist: Watchlist, this: int, other: int, at_most: int) -> tuple[list[ListEntry], int]:
    query = f"""
        SELECT {COLUMNS}, count(*) OVER () FROM watchlists_publishedentry e
         WHERE {_HAS} AND NOT EXISTS (
               SELECT FROM watchlists_publishedentry o WHERE o.watchlist_id = e.watchlist_id
                  AND o.kind = e.kind AND o.value = e.value
                  AND o.added_in <= %s AND (o.removed_in IS NULL OR o.removed_in > %s))
         ORDER BY kind, value LIMIT %s
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [watchlist.pk, this, this, other, other, at_most])
        rows = cursor.fetchall()
    return [ListEntry(*row[:-1]) for row in rows], rows[0][-1] if rows else 0
