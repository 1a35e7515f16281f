"""What a draft would touch, counted before anything is saved: of its frozen values, as things stand now."""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from cases.batches.deciding import decision_like, to_decide, why_not_alone
from cases.batches.sql import BASIS, COVERS
from cases.models import Batch, BatchValue, Decision, Verdict
from cases.verdicts.in_force import IN_FORCE
from cases.verdicts.precedence import SCOPE_RANK, Scope
from footprint.accounts.models import Person

_BY_VERDICT = "SELECT verdict, count(*) FROM cases_batchvalue WHERE batch_id = %(batch)s GROUP BY verdict"
_BY_KIND = "SELECT kind, count(*) FROM cases_batchvalue WHERE batch_id = %(batch)s GROUP BY kind"
# Decisions whose place the new ones take, by what they say and who put them in force.
_SUPERSEDED = f"""
    SELECT d.verdict, coalesce(d.approver_id, d.proposer_id), count(*)
      FROM cases_batchvalue v
      JOIN cases_decision d ON d.subject = v.value AND d.subject_kind = v.kind
     WHERE v.batch_id = %(batch)s AND {IN_FORCE} AND d.scope = %(scope)s
       AND d.case_id IS NOT DISTINCT FROM %(case)s AND d.file_kind = %(file_kind)s
       AND d.file_key = %(file_key)s
     GROUP BY 1, 2 ORDER BY count(*) DESC
"""
# Narrower decisions that say otherwise go on governing.
_NARROWER = f"""
    SELECT count(DISTINCT v.number)
      FROM (SELECT b.*, %(of_case)s AS case_id FROM cases_batchvalue b WHERE b.batch_id = %(batch)s) v
      JOIN cases_decision d ON d.subject = v.value AND d.subject_kind = v.kind
     WHERE {IN_FORCE} AND {COVERS} AND d.verdict <> %(verdict)s AND d.scope = ANY(%(narrower)s)
"""
# Who holds the places that the first values would take.
_HELD = """
    SELECT v.number, d.id
      FROM cases_batchvalue v
      JOIN cases_decision d ON d.subject = v.value AND d.subject_kind = v.kind
     WHERE v.batch_id = %(batch)s AND v.number <= %(last)s AND d.state = 'in force' AND d.scope = %(scope)s
       AND d.case_id IS NOT DISTINCT FROM %(case)s AND d.file_kind = %(file_kind)s
       AND d.file_key = %(file_key)s
"""
_ELSEWHERE = """
    SELECT count(*), count(DISTINCT e.case_id)
      FROM cases_batchvalue v JOIN cases_endpoint e ON e.value = v.value
     WHERE v.batch_id = %(batch)s AND e.case_id <> %(of_case)s
"""
_HERE = """
    SELECT count(*) FROM cases_batchvalue v
      JOIN cases_endpoint e ON e.value = v.value AND e.case_id = %(of_case)s
     WHERE v.batch_id = %(batch)s
"""
_MOVED = f"""
    SELECT count(*)
      FROM (SELECT b.*, %(of_case)s AS case_id FROM cases_batchvalue b WHERE b.batch_id = %(batch)s) v
     WHERE v.basis <> {BASIS}
"""


# Looking whether a value needs a second person takes longer than counting.
LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True)
class Superseded:
    verdict: str
    person: str
    count: int


@dataclass(frozen=True, slots=True)
class BatchPreview:
    """`narrower` values stay as they are, `moved` ones were decided since the batch was frozen."""

    verdicts: list[tuple[str, int]]
    kinds: dict[str, int]
    superseded: list[Superseded]
    narrower: int
    here: int
    elsewhere: int
    other_cases: int
    moved: int
    # Of the first `looked_at` values.
    second_person: int
    looked_at: int

    @property
    def superseded_count(self) -> int:
        return sum(each.count for each in self.superseded)


def preview_batch(batch: Batch) -> BatchPreview:
    everywhere = batch.scope == Decision.Scope.EVERYWHERE
    found = _gather(batch, _ELSEWHERE)[0] if everywhere else (0, 0)
    counted = dict(_gather(batch, _BY_VERDICT))
    return BatchPreview(
        verdicts=[(verdict, counted.get(verdict, 0)) for verdict in Verdict.values],
        kinds=dict(_gather(batch, _BY_KIND)),
        superseded=_superseded(batch),
        narrower=_gather(batch, _NARROWER)[0][0],
        here=_gather(batch, _HERE)[0][0],
        elsewhere=found[0],
        other_cases=found[1],
        moved=_gather(batch, _MOVED)[0][0],
        second_person=_second_person(batch),
        looked_at=min(batch.total, LOOKED_AT),
    )


def frozen_values(batch: Batch, at_most: int) -> list[BatchValue]:
    return list(BatchValue.objects.filter(batch=batch).order_by("number")[:at_most])


def _second_person(batch: Batch) -> int:
    like = decision_like(batch, is_worded=False)
    values = frozen_values(batch, LOOKED_AT)
    decisions = [to_decide(like, each.kind, each.value) for each in values]
    held = _held(batch, values)
    return sum(1 for reasons in why_not_alone(batch, decisions, held) if reasons)


def _held(batch: Batch, values: Sequence[BatchValue]) -> list[Decision | None]:
    """The decision whose place each value's would take."""
    if not values:
        return []
    held_by = dict(_gather(batch, _HELD, last=values[-1].number))
    holders = Decision.objects.in_bulk(list(held_by.values()))
    return [holders.get(held_by.get(each.number, 0)) for each in values]


def _superseded(batch: Batch) -> list[Superseded]:
    found = _gather(batch, _SUPERSEDED)
    people = Person.objects.in_bulk([person for _, person, _ in found])
    return [Superseded(verdict, str(people[person]), count) for verdict, person, count in found]


def _gather(batch: Batch, statement: str, last: int = 0) -> list[tuple[Any, ...]]:
    narrower = [scope.value for scope in Scope if SCOPE_RANK[scope] > SCOPE_RANK[Scope(batch.scope)]]
    asked = {
        "batch": batch.pk,
        "of_case": batch.case_id,
        "case": batch.case_id if batch.scope == Decision.Scope.CASE else None,
        "scope": batch.scope,
        "file_kind": batch.file.kind if batch.file else "",
        "file_key": batch.file.key if batch.file else "",
        "verdict": batch.verdict,
        "narrower": narrower,
        "last": last,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
