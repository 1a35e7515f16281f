"""The entries of a publication, read back: whole, as a difference, and what has gone since the first one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection, transaction

from cases.watchlists.computing import COLUMNS, raw_rows_of, rows_of
from cases.watchlists.formats import Format, Gone, ListEntry, Published, Report
from cases.watchlists.models import Publication, Watchlist

_HAS = "e.watchlist_id = %s AND e.added_in <= %s AND (e.removed_in IS NULL OR e.removed_in > %s)"


class Difference(NamedTuple):
    """Subjects only, in the order of kind and value, and cut; the counts are not."""

    added: list[ListEntry]
    removed: list[ListEntry]
    added_count: int
    removed_count: int


def heading(publication: Publication) -> Published:
    of = publication.watchlist
    return Published(of.slug, of.title, of.about, of.verdict, publication.number or 0, publication.made_at)


def entries_of(publication: Publication) -> Iterator[ListEntry]:
    """A stream, inside an open transaction."""
    return entries_at(publication.watchlist_id, publication.number or 0)


def entries_at(watchlist_id: int, number: int) -> Iterator[ListEntry]:
    return rows_of(
        f"SELECT {COLUMNS} FROM watchlists_publishedentry e WHERE {_HAS} ORDER BY kind, value",  # noqa: S608  # constants
        (watchlist_id, number, number),
    )


def report_of(format: type[Format], publication: Publication) -> Report:
    """What the format would leave out of it, or say wider or narrower. Reads all entries."""
    report = Report()
    with transaction.atomic():
        for _ in format(heading(publication)).texts(entries_of(publication), report):
            pass
    return report


def gone_before(publication: Publication) -> Iterator[Gone]:
    """What earlier publications had and this one has not, each with when it left."""
    query = f"""
        SELECT DISTINCT ON (e.kind, e.value, e.decision_number)
               {", ".join(f"e.{column}" for column in COLUMNS.split(", "))}, p.made_at
          FROM watchlists_publishedentry e
          JOIN watchlists_publication p ON p.watchlist_id = e.watchlist_id AND p.number = e.removed_in
         WHERE e.watchlist_id = %s AND e.removed_in <= %s AND NOT EXISTS (
               SELECT FROM watchlists_publishedentry n WHERE n.watchlist_id = e.watchlist_id
                  AND n.kind = e.kind AND n.value = e.value AND n.decision_number = e.decision_number
                  AND n.added_in <= %s AND (n.removed_in IS NULL OR n.removed_in > %s))
         ORDER BY e.kind, e.value, e.decision_number, e.removed_in DESC
    """  # noqa: S608  # constants
    number = publication.number or 0
    rows = raw_rows_of(query, (publication.watchlist_id, number, number, number))
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
    """  # noqa: S608  # constants
    with connection.cursor() as cursor:
        cursor.execute(query, [watchlist.pk, this, this, other, other, at_most])
        rows = cursor.fetchall()
    return [ListEntry._make(row[:-1]) for row in rows], rows[0][-1] if rows else 0
