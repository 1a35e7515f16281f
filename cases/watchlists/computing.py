"""What a watchlist holds by its rule, set-based: a temporary table of this transaction, and its conflicts.

A decision of the other verdict contradicts an entry when it covers a part of it, or covers it from another
scope. In a block list the entry stays and is told; in an allow list it is left out. A blocked network with
an allow inside, and every private, reserved or own range, is held back until people have settled it.
"""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count, starmap
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

from cases.domains import is_public_suffix
from cases.verdicts.in_force import IN_FORCE
from cases.verdicts.ranges import NEVER_PUBLISHED
from cases.watchlists.formats import ListEntry
from cases.watchlists.models import Watchlist

_CHUNK = 5_000
_CURSORS = count()

REACHED = """
    (d.scope = 'everywhere' OR (d.scope = 'case' AND d.case_id = ANY(%(cases)s))
     OR (d.scope = 'file' AND EXISTS (
         SELECT FROM cases_casefile f WHERE f.case_id = ANY(%(cases)s)
            AND f.kind = d.file_kind AND f.key = d.file_key)))
"""
# Two decisions have the same scope only if it is the same case, or the same file.
SCOPE = "concat_ws(' ', d.scope, d.case_id, d.file_kind, d.file_key)"
_WANTED = f"""
    CREATE TEMPORARY TABLE watchlists_wanted ON COMMIT DROP AS
    SELECT DISTINCT ON (d.subject_kind COLLATE "C", d.subject)
           d.subject_kind::text COLLATE "C" AS kind, d.subject AS value, d.verdict::text AS verdict, d.reason,
           coalesce(nullif(trim(p.first_name || ' ' || p.last_name), ''), p.username) AS decided_by,
           d.made_at AS decided_at, d.expires_at, d.made_in_id AS case_number, d.id AS decision_number,
           false AS may_widen, d.network, {SCOPE} AS scope
      FROM cases_decision d JOIN accounts_person p ON p.id = d.proposer_id
     WHERE {IN_FORCE} AND d.verdict = %(verdict)s AND d.subject_kind = ANY(%(kinds)s)
       AND d.scope = ANY(%(scopes)s)
       AND {REACHED}
     ORDER BY d.subject_kind COLLATE "C", d.subject,
              array_position(ARRAY['everywhere', 'file', 'case'], d.scope::text), d.id
"""
_OPPOSITE = f"""
    CREATE TEMPORARY TABLE watchlists_opposite ON COMMIT DROP AS
    SELECT d.id, d.subject_kind::text AS kind, d.subject AS value, d.network, {SCOPE} AS scope
      FROM cases_decision d WHERE {IN_FORCE} AND d.verdict <> %(verdict)s AND d.verdict <> 'undecided'
"""
_CONFLICTS = """
    CREATE TEMPORARY TABLE watchlists_found (
        kind text, value text COLLATE "C", decision_id bigint, against_id bigint, left_out boolean, why text
    ) ON COMMIT DROP
"""


def _above(table: str) -> str:
    """Each row of the table with the name itself and every name above it."""
    return f"""
        {table} x CROSS JOIN LATERAL (SELECT string_to_array(x.value, '.') AS labels) split
        CROSS JOIN LATERAL (
            SELECT array_to_string(labels[first:], '.') COLLATE "C" AS name
              FROM generate_series(1, array_length(labels, 1)) AS first
        ) above
    """


_TELL = (
    "INSERT INTO watchlists_found SELECT {w}.kind, {w}.value, {w}.decision_number, {o}.id, %(leave)s, %(why)s"
)
_SAME = f"""
    {_TELL.format(w="w", o="o")}
      FROM watchlists_wanted w JOIN watchlists_opposite o ON o.kind = w.kind AND o.value = w.value
"""
_NAME_INSIDE = f"""
    {_TELL.format(w="w", o="x")}
      FROM {_above("watchlists_opposite")}
      JOIN watchlists_wanted w ON w.kind = 'below' AND w.value = above.name
     WHERE x.kind IN ('name', 'below') AND NOT (x.kind = 'below' AND x.value = w.value)
"""
_NAME_AROUND = f"""
    {_TELL.format(w="x", o="o")}
      FROM {_above("watchlists_wanted")}
      JOIN watchlists_opposite o ON o.kind = 'below' AND o.value = above.name
     WHERE x.kind IN ('name', 'below') AND NOT (x.kind = 'below' AND x.value = o.value)
       AND x.scope <> o.scope
"""
# Containment as equality of the shortened network, so that a hash join finds it.
_ADDRESS_INSIDE = f"""
    {_TELL.format(w="w", o="o")}
      FROM (SELECT DISTINCT masklen(network) AS bits, family(network) AS family FROM watchlists_wanted
             WHERE kind = 'network') lengths
      JOIN watchlists_opposite o ON family(o.network) = lengths.family AND masklen(o.network) >= lengths.bits
      JOIN watchlists_wanted w ON w.kind = 'network'
       AND w.network = network(set_masklen(o.network::inet, lengths.bits))
     WHERE NOT (o.kind = w.kind AND o.value = w.value)
"""
_ADDRESS_AROUND = f"""
    {_TELL.format(w="w", o="o")}
      FROM (SELECT DISTINCT masklen(network) AS bits, family(network) AS family FROM watchlists_opposite
             WHERE kind = 'network') lengths
      JOIN watchlists_wanted w ON family(w.network) = lengths.family AND masklen(w.network) >= lengths.bits
      JOIN watchlists_opposite o ON o.kind = 'network'
       AND o.network = network(set_masklen(w.network::inet, lengths.bits))
     WHERE NOT (o.kind = w.kind AND o.value = w.value) AND w.scope <> o.scope
"""
_NEVER_OUT = """
    INSERT INTO watchlists_found
    SELECT w.kind, w.value, w.decision_number, NULL, true, %(why)s
      FROM watchlists_wanted w WHERE w.network IS NOT NULL
       AND EXISTS (SELECT FROM unnest(%(ranges)s::cidr[]) AS r(network) WHERE r.network && w.network)
"""
# Our own names, the names below them, and stars that take them along.
_OWN_NAMES = f"""
    INSERT INTO watchlists_found
    SELECT DISTINCT x.kind, x.value, x.decision_number, NULL::bigint, true, %(why)s
      FROM {_above("watchlists_wanted")}
     WHERE x.kind IN ('name', 'below') AND above.name = ANY(%(names)s::text[])
     UNION
    SELECT w.kind, w.value, w.decision_number, NULL, true, %(why)s
      FROM watchlists_wanted w, unnest(%(names)s::text[]) AS own(name)
     WHERE w.kind = 'below' AND right(own.name, length(w.value) + 1) = '.' || w.value
"""
_TAKE_OUT = """
    DELETE FROM watchlists_wanted w USING watchlists_found f
     WHERE f.left_out AND f.kind = w.kind AND f.value = w.value
"""
# A blocked name may take the names below along where everything known below it is blocked too, nothing around
# it says otherwise, and none of them can be ours or anybody's.
_WIDEN = """
    UPDATE watchlists_wanted w SET may_widen = true WHERE w.kind = 'name' AND NOT EXISTS (
        SELECT FROM watchlists_not_wide n WHERE n.name = w.value)
"""
_NOT_WIDE = f"""
    CREATE TEMPORARY TABLE watchlists_not_wide ON COMMIT DROP AS
    SELECT DISTINCT above.name
      FROM (SELECT DISTINCT value FROM cases_casevalue WHERE kind = 'name' AND verdict <> 'blocked'
            UNION SELECT value FROM watchlists_opposite WHERE kind IN ('name', 'below')
            UNION SELECT unnest(%(own)s::text[])) AS x(value)
      CROSS JOIN LATERAL (SELECT string_to_array(x.value, '.') AS labels) split
      CROSS JOIN LATERAL (
          SELECT array_to_string(labels[first:], '.') COLLATE "C" AS name
            FROM generate_series(2, array_length(labels, 1)) AS first
      ) above
     UNION
    SELECT x.value FROM {_above("watchlists_wanted")}
      JOIN watchlists_opposite o ON o.kind = 'below' AND o.value = above.name
     WHERE x.kind = 'name'
     UNION
    SELECT unnest(%(suffixes)s::text[])
"""
_NAMES = "SELECT value FROM watchlists_wanted WHERE kind = 'name'"
_TABLES = ("watchlists_wanted", "watchlists_opposite", "watchlists_found", "watchlists_not_wide")


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes a watchlist, also before it is saved."""

    verdict: str
    kinds: Sequence[str]
    scopes: Sequence[str]
    cases: Sequence[int]

    @classmethod
    def of(cls, watchlist: Watchlist) -> Rule:
        cases = list(watchlist.cases.values_list("pk", flat=True))
        return cls(watchlist.verdict, watchlist.subject_kinds, watchlist.scopes, cases)

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "kinds": list(self.kinds),
            "scopes": list(self.scopes),
            "cases": list(self.cases),
        }


def compute(rule: Rule) -> None:
    """Fills the temporary tables. Must be called inside a transaction, which they end with."""
    with connection.cursor() as cursor:
        drop_tables(cursor)
        cursor.execute(_WANTED, rule.parameters)
        hold_back(cursor, rule)


def drop_tables(cursor: CursorWrapper) -> None:
    cursor.execute("".join(f"DROP TABLE IF EXISTS pg_temp.{table};" for table in _TABLES))


def hold_back(cursor: CursorWrapper, rule: Rule) -> None:
    """Finds the conflicts of what is wanted, takes out what may not leave, and says which names may widen."""
    blocks = rule.verdict == "blocked"
    other = "an allow" if blocks else "a block"
    cursor.execute(_OPPOSITE, rule.parameters)
    cursor.execute(_CONFLICTS)
    cursor.execute("ANALYZE watchlists_wanted; ANALYZE watchlists_opposite")
    leave = not blocks
    cursor.execute(_SAME, {"leave": leave, "why": f"{other} of the same, in another scope"})
    cursor.execute(_NAME_INSIDE, {"leave": leave, "why": f"{other} of a part of it"})
    cursor.execute(_NAME_AROUND, {"leave": leave, "why": f"{other} of what is around it, in another scope"})
    cursor.execute(_ADDRESS_INSIDE, {"leave": True, "why": f"{other} of a part of it"})
    cursor.execute(
        _ADDRESS_AROUND, {"leave": leave, "why": f"{other} of what is around it, in another scope"}
    )
    cursor.execute(_NEVER_OUT, {"ranges": list(NEVER_PUBLISHED), "why": "a private or reserved range"})
    if own := settings.FOOTPRINT.own_ranges:
        cursor.execute(_NEVER_OUT, {"ranges": own, "why": "one of our own ranges"})
    if names := settings.FOOTPRINT.own_domains:
        cursor.execute(_OWN_NAMES, {"names": names, "why": "one of our own names"})
    cursor.execute(_TAKE_OUT)
    if blocks:
        everybodys = [name for (name,) in raw_rows_of(_NAMES, ()) if is_public_suffix(name)]
        cursor.execute(_NOT_WIDE, {"own": names, "suffixes": everybodys})
        cursor.execute("ANALYZE watchlists_not_wide")
        cursor.execute(_WIDEN)


COLUMNS = ", ".join(
    (
        *("kind", "value", "verdict", "reason", "decided_by", "decided_at"),
        *("expires_at", "case_number", "decision_number", "may_widen"),
    )
)


def wanted() -> Iterator[ListEntry]:
    """The computed entries in the order of kind and value; a stream, however many they are."""
    return rows_of(f"SELECT {COLUMNS} FROM watchlists_wanted ORDER BY kind, value", ())


def rows_of(query: str, parameters: Sequence[object]) -> Iterator[ListEntry]:
    """Entries of a query for COLUMNS, and `returned` where it matters."""
    return starmap(ListEntry, raw_rows_of(query, parameters))


def raw_rows_of(query: str, parameters: Sequence[object]) -> Iterator[tuple[Any, ...]]:
    """Through a cursor of the server inside the open transaction: a stream, in little memory."""
    connection.ensure_connection()
    name = f"watchlists_entries_{next(_CURSORS)}"
    with closing(connection.connection.cursor(name=name)) as cursor:
        cursor.itersize = _CHUNK
        cursor.execute(query, parameters)
        yield from cursor
