"""What a decision would change, before it is made or withdrawn: settle.py's rules, read only.

A decision that is made governs a side of an endpoint when its rank is not below that of the one which
governs now, so that looking costs a join. What governs after a withdrawal has to be found anew.
"""

# every part of a statement is a constant of this module; values are parameters

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from cases.verdicts.in_force import IN_FORCE
from cases.verdicts.overriding import OVERRIDDEN
from cases.verdicts.precedence import Ruling
from cases.verdicts.settle import JUDGED, Reach, rank_of, select_reached
from cases.verdicts.subject import SubjectKind

ROWS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Move:
    """Endpoints of a file that would change their verdict."""

    case_id: int
    file_id: int
    before: str
    after: str
    endpoints: int


@dataclass(frozen=True, slots=True)
class MovingValue:
    """A row of a queue whose endpoints would change."""

    case_id: int
    value: str
    before: str
    after: str
    endpoints: int


@dataclass(slots=True)
class Preview:
    """`standing` tells what it was counted on: which endpoints, and which decisions in which version."""

    moves: list[Move] = field(default_factory=list)
    values: int = 0
    rows: list[MovingValue] = field(default_factory=list)
    standing: dict[str, str] = field(default_factory=dict)

    @property
    def endpoints(self) -> int:
        return sum(move.endpoints for move in self.moves)

    @property
    def by_verdicts(self) -> list[tuple[str, str, int]]:
        """(before, after, endpoints)."""
        counts: Counter[tuple[str, str]] = Counter()
        for move in self.moves:
            counts[move.before, move.after] += move.endpoints
        return [(before, after, count) for (before, after), count in sorted(counts.items())]

    @property
    def cases(self) -> list[tuple[int, int]]:
        """(case, endpoints), most first."""
        counts: Counter[int] = Counter()
        for move in self.moves:
            counts[move.case_id] += move.endpoints
        return counts.most_common()

    @property
    def files(self) -> list[tuple[int, int]]:
        """(file, endpoints), most first."""
        counts: Counter[int] = Counter()
        for move in self.moves:
            counts[move.file_id] += move.endpoints
        return counts.most_common()

    @property
    def digest(self) -> str:
        """Equal for equal previews."""
        return hashlib.sha256(json.dumps(self.as_kept(), sort_keys=True).encode()).hexdigest()

    def as_kept(self) -> dict[str, Any]:
        moves = sorted((m.case_id, m.file_id, m.before, m.after, m.endpoints) for m in self.moves)
        return {
            "moves": [list(move) for move in moves],
            "values": self.values,
            "standing": dict(self.standing),
        }

    @classmethod
    def from_kept(cls, kept: dict[str, Any]) -> Preview:
        moves = [Move(*move) for move in kept.get("moves", [])]
        return cls(moves, kept.get("values", 0), standing=kept.get("standing", {}))

    def in_words(self) -> dict[str, object]:
        """For the ledger, as Settled has it."""
        return {
            "endpoints": {f"{before} to {after}": count for before, after, count in self.by_verdicts},
            "values": self.values,
            "cases": len(self.cases),
        }


_WOULD_BE = """
    unnest(%(numbers)s::int[], %(verdicts)s::text[], %(kinds)s::text[], %(subjects)s::text[],
           %(networks)s::cidr[], %(scopes)s::text[], %(cases)s::bigint[], %(file_kinds)s::text[],
           %(file_keys)s::text[], %(ranks)s::bigint[])
        AS w(n, verdict, kind, subject, network, scope, case_id, file_kind, file_key, rank)
"""
# The same ways in as those of settle.py, for many decisions at once. Between its first and its last
# address a network is found through the index also where it is no constant.
_BITS = "CASE family(w.network) WHEN 4 THEN 32 ELSE 128 END"
_FIRST = f"set_masklen(w.network::inet, {_BITS})"
_LAST = f"set_masklen(broadcast(w.network), {_BITS})"
_COVERED = f"""
    SELECT w.n, e.id, true AS on_name FROM would_be w
      JOIN cases_endpoint e ON e.value = w.subject COLLATE "C" AND e.value_kind = w.kind
     WHERE w.kind IN ('name', 'text')
    UNION ALL
    SELECT w.n, e.id, true FROM would_be w
      JOIN cases_endpoint e ON e.value = w.subject COLLATE "C" AND e.value_kind = 'name'
     WHERE w.kind = 'below'
    UNION ALL
    SELECT w.n, e.id, true FROM would_be w
      JOIN cases_casevalue v ON v.kind = 'name'
       AND reverse(v.value) >= (reverse(w.subject) || '.') COLLATE "C"
       AND reverse(v.value) < (reverse(w.subject) || '/') COLLATE "C"
      JOIN cases_endpoint e ON e.value = v.value AND e.case_id = v.case_id AND e.value_kind = 'name'
     WHERE w.kind = 'below'
    UNION ALL
    SELECT w.n, e.id, true FROM would_be w JOIN cases_endpoint e ON e.dns_ip = w.network::inet
     WHERE w.kind = 'address'
    UNION ALL
    SELECT w.n, e.id, false FROM would_be w JOIN cases_endpoint e ON e.ip = w.network::inet
     WHERE w.kind = 'address'
    UNION ALL
    SELECT w.n, e.id, true FROM would_be w
      JOIN cases_endpoint e ON e.dns_ip >= {_FIRST} AND e.dns_ip <= {_LAST}
     WHERE w.kind = 'network'
    UNION ALL
    SELECT w.n, e.id, false FROM would_be w
      JOIN cases_endpoint e ON e.ip >= {_FIRST} AND e.ip <= {_LAST}
     WHERE w.kind = 'network'
"""
_MOVED = f"""
    WITH would_be AS MATERIALIZED (SELECT * FROM {_WOULD_BE}),
    covered AS ({_COVERED}),
    reached AS (
        SELECT n, id, bool_or(on_name) AS on_name, bool_or(NOT on_name) AS on_address
          FROM covered GROUP BY n, id
    ), sides AS (
        SELECT w.n, w.verdict, e.id, e.case_id, e.file_id, e.value, e.dns <> '' AS named,
               e.verdict AS before, e.name_verdict, e.address_verdict,
               r.on_name AND (by_name.id IS NULL OR w.rank >= {rank_of("by_name")}) AS takes_name,
               r.on_address AND (by_address.id IS NULL OR w.rank >= {rank_of("by_address")})
                   AS takes_address,
               concat_ws(' ', by_name.id, by_name.version) AS by_name,
               concat_ws(' ', by_address.id, by_address.version) AS by_address
          FROM reached r
          JOIN would_be w ON w.n = r.n
          JOIN cases_endpoint e ON e.id = r.id
          JOIN cases_casefile f ON f.id = e.file_id
          LEFT JOIN cases_decision by_name ON by_name.id = e.name_decision_id
          LEFT JOIN cases_decision by_address ON by_address.id = e.address_decision_id
         WHERE w.scope = 'everywhere' OR w.case_id = e.case_id
            OR (w.scope = 'file' AND w.file_kind = f.kind AND w.file_key = f.key)
    ), taken AS MATERIALIZED (
        SELECT s.*, CASE WHEN 'blocked' IN (t.name_verdict, t.address_verdict) THEN 'blocked'
                         WHEN s.named THEN t.name_verdict ELSE t.address_verdict END AS after
          FROM sides s
          CROSS JOIN LATERAL (
            SELECT CASE WHEN s.takes_name THEN s.verdict ELSE s.name_verdict END AS name_verdict,
                   CASE WHEN s.takes_address THEN s.verdict ELSE s.address_verdict END AS address_verdict
          ) t
         WHERE s.takes_name OR s.takes_address
    ), moved AS MATERIALIZED (
        SELECT n, case_id, file_id, value, before, after FROM taken WHERE before <> after
    )
"""
# What the numbers stand on, whether a verdict changes by it or not: the endpoints that the decision would
# govern with what governs them now, the decision whose place it takes, and those that it overrides.
_STANDING = f"""
    UNION ALL
    SELECT n, 'governs', NULL, NULL,
           sum(hashtextextended(concat_ws(',', id, before, after, CASE WHEN takes_name THEN by_name END, '/',
                                          CASE WHEN takes_address THEN by_address END), 0))::text,
           NULL, NULL, count(*)
      FROM taken GROUP BY n
    UNION ALL
    SELECT w.n, 'replaces', NULL, NULL, concat_ws(' ', d.id, d.version), NULL, NULL, 1
      FROM would_be w
      JOIN cases_decision d
        ON {IN_FORCE} AND d.subject = w.subject COLLATE "C" AND d.subject_kind = w.kind
       AND d.scope = w.scope AND d.case_id IS NOT DISTINCT FROM w.case_id
       AND d.file_kind = w.file_kind AND d.file_key = w.file_key COLLATE "C"
    UNION ALL
    SELECT n, 'overrides', NULL, NULL, sum(hashtextextended(concat_ws(' ', id, version), 0))::text,
           NULL, NULL, count(*)
      FROM ({OVERRIDDEN}) overridden GROUP BY n
"""
_COUNTED = """
    SELECT n, 'move', case_id, file_id, NULL, before, after, count(*) FROM moved
     GROUP BY n, case_id, file_id, before, after
    UNION ALL
    SELECT n, 'values', NULL, NULL, NULL, NULL, NULL, count(*)
      FROM (SELECT DISTINCT n, case_id, value FROM moved) each_once GROUP BY n
    UNION ALL
    (SELECT n, 'row', case_id, NULL, value, before, after, count(*) FROM moved
      GROUP BY n, case_id, value, before, after ORDER BY count(*) DESC, value, case_id LIMIT %(rows)s)
"""
_ENDED = f"""
    {JUDGED}, moved AS MATERIALIZED (
        SELECT 0 AS n, case_id, file_id, value, verdict_before AS before, verdict AS after
          FROM judged WHERE verdict_before <> verdict
    )
    {_COUNTED}
    UNION ALL
    SELECT 0, 'governs', NULL, NULL,
           sum(hashtextextended(concat_ws(',', id, verdict_before, verdict, coalesce(name_decision, 0),
                                          coalesce(address_decision, 0)), 0))::text,
           NULL, NULL, count(*)
      FROM judged HAVING count(*) > 0
    UNION ALL
    SELECT 0, 'ends', NULL, NULL, concat_ws(' ', id, version), NULL, NULL, 1
      FROM cases_decision WHERE id = %(without)s
"""


def preview_of_making(rulings: Sequence[Ruling], *, rows: int = 0) -> list[Preview]:
    """For each ruling alone, in one statement. `rows` of one ruling at most are shown."""
    asked = {
        "numbers": list(range(len(rulings))),
        "verdicts": [ruling.verdict.value for ruling in rulings],
        "kinds": [ruling.subject.kind.value for ruling in rulings],
        "subjects": [ruling.subject.text for ruling in rulings],
        "networks": [
            ruling.subject.text if ruling.subject.kind in {SubjectKind.ADDRESS, SubjectKind.NETWORK} else None
            for ruling in rulings
        ],
        "scopes": [ruling.scope.value for ruling in rulings],
        "cases": [ruling.case for ruling in rulings],
        "file_kinds": [ruling.file[0] if ruling.file else "" for ruling in rulings],
        "file_keys": [ruling.file[1] if ruling.file else "" for ruling in rulings],
        "ranks": [ruling.rank for ruling in rulings],
        "rows": rows,
    }
    return _read(f"{_MOVED}{_COUNTED}{_STANDING}", asked, len(rulings))


def preview_of_ending(decision_id: int, reach: Reach, *, rows: int = 0) -> Preview:
    """What the end of a decision in force would change."""
    select, parameters = select_reached(reach)
    governed = f"""
        SELECT coalesce(array_agg(e.id), '{{}}') FROM cases_endpoint e
         WHERE e.id IN ({select}) AND %s IN (e.name_decision_id, e.address_decision_id)
    """
    with connection.cursor() as cursor:
        cursor.execute(governed, [*parameters, decision_id])
        (ids,) = cursor.fetchone()
    return _read(_ENDED, {"ids": ids, "without": decision_id, "rows": rows}, 1)[0]


def _read(query: str, asked: dict[str, Any], number: int) -> list[Preview]:
    previews = [Preview() for _ in range(number)]
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        for n, what, case_id, file_id, value, before, after, count in cursor.fetchall():
            match what:
                case "move":
                    previews[n].moves.append(Move(case_id, file_id, before, after, count))
                case "row":
                    previews[n].rows.append(MovingValue(case_id, value, before, after, count))
                case "values":
                    previews[n].values = count
                case _:
                    previews[n].standing[what] = f"{value} of {count}"
    return previews
