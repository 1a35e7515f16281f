"""What a decision in force governs now, found through the indexes that settling uses."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from cases.models import Decision, Endpoint
from cases.settling import Waiting, reach_of, waiting_of
from cases.verdicts.settle import select_reached

# Endpoints that are looked at; a decision that reaches more is told with "at least".
LOOKED_AT_MOST = 10_000
SHOWN = 20


@dataclass(frozen=True, slots=True)
class InCase:
    case: int
    title: str
    endpoints: int
    values: int


@dataclass(frozen=True, slots=True)
class Governed:
    """`first` are a few of the endpoints. With `is_cut` all numbers are "at least"."""

    cases: tuple[InCase, ...]
    first: tuple[Endpoint, ...]
    is_cut: bool
    # Reached, and yet to be judged by it.
    waiting: Waiting

    @property
    def endpoints(self) -> int:
        return sum(each.endpoints for each in self.cases)


# The inner LIMIT holds the work; an endpoint may be reached by its address and by its name.
_GOVERNED = """
    WITH reached AS MATERIALIZED (SELECT id FROM ({reached}) found LIMIT %s),
    governed AS MATERIALIZED (
        SELECT e.id, e.case_id, e.value FROM (SELECT DISTINCT id FROM reached) r
          JOIN cases_endpoint e ON e.id = r.id
         WHERE e.name_decision_id = %s OR e.address_decision_id = %s
    )
    SELECT g.case_id, c.title, count(*), count(DISTINCT g.value), (SELECT count(*) FROM reached),
           (array_agg(g.id ORDER BY g.id))[:{shown}]
      FROM governed g JOIN cases_case c ON c.id = g.case_id
     GROUP BY g.case_id, c.title ORDER BY count(*) DESC, g.case_id
"""


def governed_by(decision: Decision) -> Governed:
    reached, values = select_reached(reach_of(decision))
    statement = _GOVERNED.format(reached=reached, shown=SHOWN)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, LOOKED_AT_MOST, decision.pk, decision.pk])
        rows = cursor.fetchall()
    ids = [pk for row in rows for pk in row[5]][:SHOWN]
    first = (
        Endpoint.objects.filter(pk__in=ids).select_related("file", "case").order_by("case_id", "value", "pk")
    )
    return Governed(
        cases=tuple(InCase(*row[:4]) for row in rows),
        first=tuple(first) if ids else (),
        is_cut=bool(rows) and rows[0][4] >= LOOKED_AT_MOST,
        waiting=waiting_of(decision),
    )
