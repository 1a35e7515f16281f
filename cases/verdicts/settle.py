"""The rules of precedence.py as SQL, set-based, and the counts of values that follow from them.

Whoever settles holds the verdict lock; docs/merging.md has the order of all locks.
"""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from cases.verdicts.precedence import SCOPE_RANK, SCOPE_STEP, Scope
from cases.verdicts.subject import EXACT

# Any number no other advisory lock of this database uses.
_VERDICT_LOCK = 7_305_801_443_612
# A rank and a decision's id in one number: the greatest is the governing decision.
_ID_BITS = 40


@dataclass(slots=True)
class Settled:
    """What settling changed. `moves` counts endpoints by (verdict before, verdict after)."""

    endpoints: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    # (case, value) of every endpoint that moved.
    values: set[tuple[int, str]] = field(default_factory=set)

    @property
    def cases(self) -> int:
        return len({case for case, _ in self.values})

    def in_words(self) -> dict[str, object]:
        """For the ledger."""
        return {
            "endpoints": {
                f"{before} to {after}": count for (before, after), count in sorted(self.moves.items())
            },
            "values": len(self.values),
            "cases": self.cases,
        }


def take_verdict_lock() -> None:
    """Held until the transaction ends. Always the first lock of a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_VERDICT_LOCK])


@dataclass(frozen=True, slots=True)
class Reach:
    """The endpoints one decision may govern: those of its subject that its scope reaches."""

    subject_kind: str
    subject: str
    case_id: int | None
    file_kind: str
    file_key: str


def lock_reached(reaches: Iterable[Reach]) -> list[int]:
    """Locks the endpoints in the common order, by case and key, and returns their ids."""
    conditions: list[str] = []
    parameters: list[str | int] = []
    for reach in reaches:
        condition, values = _condition(reach)
        conditions.append(condition)
        parameters += values
    return _lock(" OR ".join(conditions), parameters) if conditions else []


def lock_unsettled(case_id: int, at_most: int) -> list[int]:
    return _lock("e.case_id = %s AND NOT e.settled", [case_id], limit=f"LIMIT {at_most:d}")


def _lock(condition: str, parameters: Sequence[str | int], limit: str = "") -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT array_agg(id) FROM (
                    SELECT e.id FROM cases_endpoint e WHERE {condition}
                     ORDER BY e.case_id, e.key {limit} FOR NO KEY UPDATE
                ) locked""",
            parameters,
        )
        return cursor.fetchone()[0] or []


def _condition(reach: Reach) -> tuple[str, list[str | int]]:
    if reach.subject_kind == "address":
        condition, parameters = "(e.ip = %s::inet OR e.dns_ip = %s::inet)", [reach.subject, reach.subject]
    else:
        condition, parameters = "(e.value = %s AND e.value_kind = %s)", [reach.subject, reach.subject_kind]
    values: list[str | int] = list(parameters)
    if reach.case_id is not None:
        condition += " AND e.case_id = %s"
        values.append(reach.case_id)
    if reach.file_key:
        condition += " AND e.file_id IN (SELECT f.id FROM cases_casefile f WHERE f.kind = %s AND f.key = %s)"
        values += [reach.file_kind, reach.file_key]
    return f"({condition})", values


_PACKED = f"""
    (CASE d.scope WHEN 'case' THEN {SCOPE_RANK[Scope.CASE]}
                  WHEN 'file' THEN {SCOPE_RANK[Scope.FILE]}
                  ELSE {SCOPE_RANK[Scope.EVERYWHERE]} END::bigint * {SCOPE_STEP} + {EXACT})
    << {_ID_BITS} | d.id
"""
_IN_FORCE = "d.state = 'in force' AND (d.expires_at IS NULL OR d.expires_at > statement_timestamp())"
_REACHES = """
    (d.scope = 'everywhere' OR d.case_id = p.case_id
     OR (d.scope = 'file' AND d.file_kind = p.file_kind AND d.file_key = p.file_key))
"""

# A name side exists where there is a name; `value` is its canonical text, whatever its kind.
_SETTLE = f"""
    WITH picked AS MATERIALIZED (
        SELECT e.id, e.case_id, f.kind AS file_kind, f.key AS file_key, e.ip, e.dns <> '' AS named,
               e.value, e.value_kind, e.verdict AS verdict_before
          FROM unnest(%(ids)s::bigint[]) AS asked(id)
          JOIN cases_endpoint e ON e.id = asked.id
          JOIN cases_casefile f ON f.id = e.file_id
    ), by_name AS (
        SELECT p.id, max({_PACKED}) AS packed
          FROM picked p JOIN cases_decision d ON d.subject_kind = p.value_kind AND d.subject = p.value
         WHERE p.named AND {_IN_FORCE} AND {_REACHES} GROUP BY p.id
    ), by_address AS (
        SELECT p.id, max({_PACKED}) AS packed
          FROM picked p JOIN cases_decision d ON d.subject_kind = 'address' AND d.network = p.ip
         WHERE p.ip IS NOT NULL AND {_IN_FORCE} AND {_REACHES} GROUP BY p.id
    ), sides AS (
        SELECT p.*, coalesce(n.verdict, 'undecided') AS name_verdict, n.id AS name_decision,
               coalesce(a.verdict, 'undecided') AS address_verdict, a.id AS address_decision
          FROM picked p
          LEFT JOIN by_name ON by_name.id = p.id
          LEFT JOIN cases_decision n ON n.id = by_name.packed & ((1::bigint << {_ID_BITS}) - 1)
          LEFT JOIN by_address ON by_address.id = p.id
          LEFT JOIN cases_decision a ON a.id = by_address.packed & ((1::bigint << {_ID_BITS}) - 1)
    ), judged AS (
        SELECT s.*, CASE WHEN 'blocked' IN (s.name_verdict, s.address_verdict) THEN 'blocked'
                         WHEN s.named THEN s.name_verdict ELSE s.address_verdict END AS verdict
          FROM sides s
    ), changed AS (
        UPDATE cases_endpoint e
           SET settled = true, name_verdict = j.name_verdict, name_decision_id = j.name_decision,
               address_verdict = j.address_verdict, address_decision_id = j.address_decision,
               verdict = j.verdict
          FROM judged j
         WHERE e.id = j.id
           AND (e.settled, e.name_verdict, e.name_decision_id,
                e.address_verdict, e.address_decision_id, e.verdict)
               IS DISTINCT FROM
               (true, j.name_verdict, j.name_decision, j.address_verdict, j.address_decision, j.verdict)
        RETURNING e.case_id, e.value, j.verdict_before, e.verdict
    )
    SELECT case_id, value, verdict_before, verdict, count(*) FROM changed WHERE verdict_before <> verdict
     GROUP BY case_id, value, verdict_before, verdict
"""


def settle(endpoint_ids: Collection[int]) -> Settled:
    """Judges the endpoints anew and brings their values up to date. The caller has locked them in order."""
    settled = Settled(endpoints=len(endpoint_ids))
    if not endpoint_ids:
        return settled
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, {"ids": list(endpoint_ids)})
        for case_id, value, before, after, count in cursor.fetchall():
            settled.moves[before, after] += count
            settled.values.add((case_id, value))
    refresh_verdicts(settled.values)
    return settled


# A value is undecided while any endpoint is, else blocked if any is, else allowed.
VERDICT_OF_COUNTS = """
    CASE WHEN {undecided} > 0 THEN 'undecided' WHEN {blocked} > 0 THEN 'blocked' ELSE 'allowed' END
"""

_LOCK_VALUES = """
    SELECT v.id FROM unnest(%(cases)s::bigint[], %(values)s::text[]) AS asked(case_id, value)
      JOIN cases_casevalue v ON v.case_id = asked.case_id AND v.value = asked.value
     ORDER BY v.case_id, v.value FOR NO KEY UPDATE OF v
"""

_REFRESH_VERDICTS = f"""
    UPDATE cases_casevalue v
       SET undecided = c.undecided, allowed = c.allowed, blocked = c.blocked, verdict = c.verdict,
           is_open = c.verdict = 'undecided', version = v.version + 1
      FROM (
        SELECT counted.*, {VERDICT_OF_COUNTS.format(undecided="undecided", blocked="blocked")} AS verdict
          FROM (
            SELECT e.case_id, e.value, count(*) FILTER (WHERE e.verdict = 'undecided') AS undecided,
                   count(*) FILTER (WHERE e.verdict = 'allowed') AS allowed,
                   count(*) FILTER (WHERE e.verdict = 'blocked') AS blocked
              FROM unnest(%(cases)s::bigint[], %(values)s::text[]) AS asked(case_id, value)
              JOIN cases_endpoint e ON e.case_id = asked.case_id AND e.value = asked.value
             GROUP BY e.case_id, e.value
          ) counted
      ) c
     WHERE v.case_id = c.case_id AND v.value = c.value
       AND (v.undecided, v.allowed, v.blocked, v.verdict)
           IS DISTINCT FROM (c.undecided, c.allowed, c.blocked, c.verdict)
"""


def refresh_verdicts(values: Collection[tuple[int, str]]) -> None:
    """Counts the endpoints of the values by verdict.

    Two statements on purpose: the count must see what the lock may have waited for, and under
    READ COMMITTED only a later statement does.
    """
    if not values:
        return
    asked: dict[str, Any] = {"cases": [case for case, _ in values], "values": [value for _, value in values]}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_VALUES, asked)
        cursor.execute(_REFRESH_VERDICTS, asked)
