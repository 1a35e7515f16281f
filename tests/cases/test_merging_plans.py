"""A case that is younger than the tables' statistics is merged into by the same plans as any other.

Taken for empty, it was locked value by value against all values: a minute instead of a tenth of a second.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from cases import merging_sql
from cases.models import Case
from footprint.accounts.models import Person
from tests.cases.world import merge_only, open_case, row

STATEMENTS = ("UPSERT_SIGHTINGS", "LOCK_VALUES", "REFRESH_VALUES")
MANY = 2_000


@pytest.fixture
def young(case: Case, fresh_database: object) -> Case:
    """A case that the planner knows nothing about: the statistics are of another."""
    merge_only(case, *(row("1.2.3.4", f"n{number}.example") for number in range(MANY)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE cases_endpoint, cases_sighting, cases_casevalue")
    return open_case(Person.objects.get(pk=case.owner_id), "a.exe")


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_planner_expects_its_rows(young: Case, name: str):
    plans: list[dict[str, Any]] = []
    with connection.execute_wrapper(_explaining(getattr(merging_sql, name), plans)):
        merge_only(young, *(row("1.2.3.4", f"n{number}.example") for number in range(MANY)))
    [plan] = plans
    assert max(_misjudged(plan["Plan"])) < MANY / 10


def _explaining(statement: str, plans: list[dict[str, Any]]) -> Callable[..., Any]:
    def wrapper(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if sql != statement:
            return execute(sql, params, many, context)
        result = execute(f"EXPLAIN (ANALYZE, FORMAT json) {sql}", params, many, context)
        [(plan,)] = context["cursor"].fetchone()
        plans.append(plan if isinstance(plan, dict) else json.loads(plan))
        return result

    return wrapper


def _misjudged(step: dict[str, Any]) -> Iterator[float]:
    """How many times more rows each step found than were expected."""
    yield step["Actual Rows"] / max(1, step["Plan Rows"])
    for inner in step.get("Plans", ()):
        yield from _misjudged(inner)
