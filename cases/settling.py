"""Endpoints that decisions reach, judged anew: at once when few, in batches by a task when many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from cases.models import Decision
from cases.verdicts.settle import (
    Reach,
    Settled,
    lock_reached,
    lock_these,
    reach_exactly,
    select_reached,
    settle,
    take_verdict_lock,
)

# So many are settled inside the decision's own transaction. More would hold everybody up: settling takes
# about a tenth of a second for a thousand.
AT_ONCE = 2_000
BATCH = 1_000
# Of what waits no more is counted; more is "at least".
COUNTED_AT_MOST = 10_000
# Of many exact subjects together: some are seen by every program, most by few.
MOST_OF_EACH = 8

_PUT_OFF = """
    INSERT INTO cases_resettling (endpoint_id, case_id, value)
    SELECT e.id, e.case_id, e.value FROM cases_endpoint e WHERE e.id IN ({reached})
    ON CONFLICT DO NOTHING
"""
_TAKE = """
    DELETE FROM cases_resettling WHERE endpoint_id IN (
        SELECT endpoint_id FROM cases_resettling ORDER BY endpoint_id LIMIT %s
    ) RETURNING endpoint_id
"""
# Each bound for itself: a union reads everything before it gives its first row.
_WAITING_IN = """
    SELECT count(*) FROM (
        (SELECT e.id FROM cases_endpoint e WHERE e.case_id = %(case)s AND NOT e.settled LIMIT %(few)s)
        UNION
        (SELECT r.endpoint_id FROM cases_resettling r WHERE r.case_id = %(case)s LIMIT %(few)s)
        LIMIT %(few)s
    ) waiting
"""
# In order, so that the index is walked.
_ANY_WAITING = """
    SELECT EXISTS (SELECT FROM cases_resettling)
        OR (SELECT true FROM cases_endpoint e WHERE NOT e.settled
             ORDER BY e.case_id, e.value LIMIT 1) IS NOT NULL
"""
_WAITING_OF = """
    SELECT count(*) FROM (
        (SELECT e.id FROM cases_endpoint e WHERE NOT e.settled AND e.id IN ({reached}) LIMIT %s)
        UNION
        (SELECT r.endpoint_id FROM cases_resettling r WHERE r.endpoint_id IN ({reached}) LIMIT %s)
        LIMIT %s
    ) waiting
"""
# Between and in order, so that the index is walked: where most of what waits is of one value, PostgreSQL
# would else read the whole table for each of the others.
_WAITING_BY_VALUE = """
    SELECT asked.value, count(*)
      FROM (SELECT DISTINCT unnest(%(values)s::text[]) COLLATE "C" AS value) asked
      CROSS JOIN LATERAL (
        (SELECT e.id FROM cases_endpoint e
          WHERE e.case_id = %(case)s AND e.value = asked.value AND NOT e.settled LIMIT %(few)s)
        UNION
        (SELECT r.endpoint_id FROM cases_resettling r
          WHERE r.case_id = %(case)s AND r.value BETWEEN asked.value AND asked.value
          ORDER BY r.value LIMIT %(few)s)
      ) waiting
     GROUP BY asked.value
"""


def reach_of(decision: Decision) -> Reach:
    return Reach(
        subject_kind=decision.subject_kind,
        subject=decision.subject,
        case_id=decision.case_id,
        file_kind=decision.file_kind,
        file_key=decision.file_key,
    )


def resettle(decisions: Iterable[Decision]) -> Settled | None:
    """Judges every endpoint anew that one of the decisions, ended or made, may govern.

    None when there are too many: they wait for `settle_waiting`. The caller holds the verdict lock.
    """
    reaches = [reach_of(decision) for decision in decisions]
    if not reaches:
        return Settled()
    if _are_many(reaches):
        _put_off(reaches)
        return None
    return settle(lock_reached(reaches))


def resettle_exactly(
    subjects: Sequence[tuple[str, str]], *, case_id: int | None, file_kind: str = "", file_key: str = ""
) -> Settled | None:
    """The same for any number of exact subjects (kind, text) in one scope."""
    reached = reach_exactly(subjects, case_id=case_id, file_kind=file_kind, file_key=file_key)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT array_agg(DISTINCT id) FROM ({reached.select}) r", reached.parameters)  # noqa: S608  # constants
        ids: list[int] = cursor.fetchone()[0] or []
    if len(ids) > max(AT_ONCE, MOST_OF_EACH * len(subjects)):
        with connection.cursor() as cursor:
            cursor.execute(_PUT_OFF.format(reached=reached.select), reached.parameters)
        return None
    return settle(lock_these(ids))


def settle_waiting() -> int:
    """Settles what was put off, in short transactions. Safe to call again; returns how many."""
    settled = 0
    while batch := _settle_batch():
        settled += batch
    return settled


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many endpoints wait; with `is_more` at least so many."""

    endpoints: int = 0
    is_more: bool = False

    @classmethod
    def of(cls, count: int) -> Waiting:
        """`count` stops one above what is counted."""
        return cls(min(count, COUNTED_AT_MOST), count > COUNTED_AT_MOST)

    def __bool__(self) -> bool:
        return self.endpoints > 0


def waiting_in(case_id: int) -> Waiting:
    """Endpoints of the case that were never judged, or whose verdict is old."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING_IN, {"case": case_id, "few": COUNTED_AT_MOST + 1})
        return Waiting.of(cursor.fetchone()[0])


def waiting_values(case_id: int, values: Sequence[str]) -> Counter[str]:
    """The same of these values, by value; of none more than is counted."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING_BY_VALUE, {"case": case_id, "values": list(values), "few": COUNTED_AT_MOST})
        return Counter(dict(cursor.fetchall()))


def waiting_of(decision: Decision) -> Waiting:
    """Endpoints that the decision reaches and that were never judged, or whose verdict is old, be it for this
    decision or another."""
    select, parameters = select_reached(reach_of(decision))
    few = COUNTED_AT_MOST + 1
    with connection.cursor() as cursor:
        cursor.execute(_ANY_WAITING)
        if cursor.fetchone() == (False,):
            return Waiting()
        cursor.execute(_WAITING_OF.format(reached=select), [*parameters, few, *parameters, few, few])
        (count,) = cursor.fetchone()
    return Waiting.of(count)


def _settle_batch() -> int:
    with transaction.atomic():
        take_verdict_lock()
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [BATCH])
            ids = [pk for (pk,) in cursor.fetchall()]
        settle(lock_these(ids))
    return len(ids)


def _are_many(reaches: Sequence[Reach]) -> bool:
    union, parameters = _union(reaches)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({union} LIMIT %s) few", [*parameters, AT_ONCE + 1])  # noqa: S608  # constants
        (count,) = cursor.fetchone()
    return bool(count > AT_ONCE)


def _put_off(reaches: Sequence[Reach]) -> None:
    union, parameters = _union(reaches)
    with connection.cursor() as cursor:
        cursor.execute(_PUT_OFF.format(reached=union), parameters)


def _union(reaches: Sequence[Reach]) -> tuple[str, list[str | int]]:
    selects, parameters = [], list[str | int]()
    for reach in reaches:
        select, values = select_reached(reach)
        selects.append(select)
        parameters += values
    return " UNION ALL ".join(selects), parameters
