"""Which known lists speak of a subject: set-based, through indexes, with one question for any number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db import connection

from cases.models import KnownList
from cases.verdicts.subject import Subject, SubjectKind, suffixes_of

# The most telling first.
_ORDER = {category: place for place, category in enumerate(KnownList.Category.values)}


@dataclass(frozen=True, slots=True)
class KnownHit:
    """A known list that speaks of a subject. `matched` is the entry, as people write it.

    Either the entry is the subject or lies around it; or it lies inside a wide subject (`is_inside`), and
    then it is the first of `entries`.
    """

    list_slug: str
    list_name: str
    category: str
    matched: str
    entries: int = 1
    is_inside: bool = False

    @property
    def category_words(self) -> str:
        return str(KnownList.Category(self.category).label)

    @property
    def is_known_good(self) -> bool:
        """A block would contradict a list of what is good; clouds and popular names are not such lists."""
        return self.category == KnownList.Category.GOOD

    @property
    def is_known_bad(self) -> bool:
        return self.category == KnownList.Category.BAD


class _Row(NamedTuple):
    """What the database found. `at` is what was asked for: a name, or the place of a subject."""

    how: str
    at: str
    known_list: int
    entry: str
    below: bool
    entries: int
    slug: str
    title: str
    category: str


# LIMIT keeps each look-up a look-up: a join of two sets the planner might turn into a scan of millions.
# No list names one thing more often than there are lists.
_FIND = """
    WITH found AS (
        SELECT 'name' AS how, asked.name AS at, e.known_list_id, e.name AS entry, e.below,
               1::bigint AS entries
          FROM unnest(%(names)s::text[], %(exact)s::boolean[]) AS asked(name, is_exact)
         CROSS JOIN LATERAL (
               SELECT known_list_id, name, below FROM cases_knownentry
                WHERE name <> '' AND reverse(name) = reverse(asked.name) COLLATE "C"
                  AND (below OR asked.is_exact) LIMIT 1000) e
        UNION ALL
        SELECT 'around', asked.place::text, e.known_list_id, e.network::text, false, 1
          FROM unnest(%(networks)s::inet[]) WITH ORDINALITY AS asked(network, place)
         CROSS JOIN LATERAL (
               SELECT known_list_id, network FROM cases_knownentry
                WHERE network IS NOT NULL AND network >>= asked.network LIMIT 1000) e
        UNION ALL
        SELECT 'inside', asked.place::text, e.known_list_id, min(e.network)::text, false, count(*)
          FROM unnest(%(networks)s::inet[]) WITH ORDINALITY AS asked(network, place)
         CROSS JOIN LATERAL (
               SELECT known_list_id, network FROM cases_knownentry
                WHERE network IS NOT NULL AND network << asked.network LIMIT 100000) e
         WHERE masklen(asked.network) < CASE family(asked.network) WHEN 4 THEN 32 ELSE 128 END
         GROUP BY asked.place, e.known_list_id
        UNION ALL
        SELECT 'below', asked.name, e.known_list_id, min(e.name), (array_agg(e.below ORDER BY e.name))[1],
               count(*)
          FROM unnest(%(wide)s::text[]) AS asked(name)
         CROSS JOIN LATERAL (
               SELECT known_list_id, name, below FROM cases_knownentry
                WHERE name <> '' AND reverse(name) >= reverse(asked.name) || '.' COLLATE "C"
                  AND reverse(name) < reverse(asked.name) || '/' COLLATE "C" LIMIT 100000) e
         GROUP BY asked.name, e.known_list_id
    )
    SELECT f.how, f.at, f.known_list_id, f.entry, f.below, f.entries, l.slug, l.title, l.category
      FROM found f JOIN cases_knownlist l ON l.id = f.known_list_id
     WHERE l.standing = 'warn'
"""


def known_hits(subjects: Sequence[Subject]) -> dict[Subject, list[KnownHit]]:
    """The hits of each subject that has any, the most telling first, at most one of each list."""
    names = [subject for subject in subjects if subject.kind in _NAMES]
    networks = [subject for subject in subjects if subject.kind in _NETWORKS]
    if not names and not networks:
        return {}
    asked_for = {subject.text for subject in names}
    # In the order of the index, whose pages are then read one after the other.
    suffixes = sorted({suffix for subject in names for suffix in suffixes_of(subject.text)}, key=_backwards)
    asked: dict[str, Any] = {
        "names": suffixes,
        "exact": [suffix in asked_for for suffix in suffixes],
        "networks": [subject.text for subject in networks],
        "wide": sorted({subject.text for subject in names if subject.kind is SubjectKind.BELOW}),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND, asked)
        rows = [_Row._make(row) for row in cursor.fetchall()]
    return _by_subject(names, networks, rows)


_NAMES = frozenset({SubjectKind.NAME, SubjectKind.BELOW})
_NETWORKS = frozenset({SubjectKind.ADDRESS, SubjectKind.NETWORK})


def _backwards(name: str) -> str:
    return name[::-1]


def _by_subject(
    names: Iterable[Subject], networks: Sequence[Subject], rows: Iterable[_Row]
) -> dict[Subject, list[KnownHit]]:
    of_name: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    found: dict[Subject, list[_Row]] = defaultdict(list)
    for row in rows:
        if row.how in ("around", "inside"):
            found[networks[int(row.at) - 1]].append(row)
        else:
            of_name[row.how, row.at].append(row)
    for subject in names:
        if said := list(_rows_of_name(subject, of_name)):
            found[subject] += said
    return {subject: _one_of_each_list(said) for subject, said in found.items()}


def _rows_of_name(subject: Subject, of_name: dict[tuple[str, str], list[_Row]]) -> Iterator[_Row]:
    """What covers the subject, then what lies inside it."""
    is_wide = subject.kind is SubjectKind.BELOW
    for suffix in suffixes_of(subject.text):
        for row in of_name.get(("name", suffix), ()):
            if row.below or (suffix == subject.text and not is_wide):
                yield row
    if is_wide:
        yield from (
            row._replace(how="inside") for row in of_name.get(("name", subject.text), ()) if not row.below
        )
        yield from (row._replace(how="inside") for row in of_name.get(("below", subject.text), ()))


def _one_of_each_list(rows: Iterable[_Row]) -> list[KnownHit]:
    """Of what covers the subject the narrowest; of what lies inside it the first, with the count of all."""
    hits: dict[int, KnownHit] = {}
    for row in sorted(rows, key=_narrowest_first):
        hit = hits.get(row.known_list)
        if hit is None:
            hits[row.known_list] = _hit(row)
        elif hit.is_inside:
            hits[row.known_list] = replace(hit, entries=hit.entries + row.entries)
    return sorted(hits.values(), key=lambda hit: (_ORDER[hit.category], hit.list_name, hit.list_slug))


def _narrowest_first(row: _Row) -> tuple[bool, int, str]:
    width = -int(row.entry.partition("/")[2] or 0) if row.how == "around" else -len(row.entry)
    return row.how == "inside", width if row.how != "inside" else 0, row.entry


def _hit(row: _Row) -> KnownHit:
    return KnownHit(
        list_slug=row.slug,
        list_name=row.title,
        category=row.category,
        matched=_as_typed(row),
        entries=row.entries,
        is_inside=row.how == "inside",
    )


def _as_typed(row: _Row) -> str:
    if row.below:
        return f"*.{row.entry}"
    address, _, length = row.entry.partition("/")
    return address if length == ("128" if ":" in address else "32") else row.entry
