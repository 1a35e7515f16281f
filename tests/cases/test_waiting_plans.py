"""What waits on a page of values is found by indexes, however much waits elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cases import waiting
from cases.models import Case, Decision, Proposal
from cases.waiting import proposals_on
from footprint.accounts.models import Person
from tests.cases.world import decide_on, merge_and_settle, open_case, row

MANY = 5_000


@pytest.fixture
def elsewhere(case: Case, ana: Person, fresh_database: object) -> None:
    """Many proposals wait in another case."""
    other = open_case(Person.objects.get(pk=case.owner_id), "other.exe")
    now = timezone.now()
    proposed = Decision.objects.bulk_create(
        Decision(
            verdict="blocked",
            subject_kind="name",
            subject=f"n{number}.example",
            scope="case",
            case=other,
            made_in=other,
            reason="Seen",
            state="proposed",
            proposer=ana,
            made_at=now,
        )
        for number in range(MANY)
    )
    Proposal.objects.bulk_create(
        Proposal(decision=each, kind="make", reason="Seen", proposer=ana, proposed_at=now, state="waiting")
        for each in proposed
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE cases_decision, cases_proposal")


@pytest.mark.usefixtures("elsewhere")
def test_no_table_is_read_for_what_waits_on_a_page(case: Case):
    plans: list[dict[str, Any]] = []

    def explaining(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if sql == waiting._ON_VALUES:
            execute(f"EXPLAIN (ANALYZE, FORMAT json) {sql}", params, many, context)
            [(plan,)] = context["cursor"].fetchall()
            plans.append((plan if isinstance(plan, list) else json.loads(plan))[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explaining):
        proposals_on(
            case, [*(f"www.a{n}.example" for n in range(25)), *(f"198.51.100.{n}" for n in range(25))]
        )
    [plan] = plans
    read = [step for step in _steps(plan["Plan"]) if step["Node Type"] == "Seq Scan"]
    assert {step["Relation Name"] for step in read} <= {"cases_casefile"}


@pytest.mark.parametrize("state", ["in force", "proposed"])
def test_what_waits_is_found_exactly_below_and_in_networks(case: Case, rui: Person, ana: Person, state: str):
    merge_and_settle(case, row("198.51.100.7", "a.contoso.example"), row("198.51.100.8"), row("203.0.113.1"))
    subjects = {
        "*.contoso.example": decide_on(ana, case, "a.contoso.example", subject="*.contoso.example"),
        "a.contoso.example": decide_on(ana, case, "a.contoso.example", "blocked", "everywhere"),
        "198.51.100.0/24": decide_on(ana, case, "198.51.100.8", subject="198.51.100.0/24"),
    }
    Decision.objects.update(state=state)
    for each in subjects.values():
        Proposal.objects.get_or_create(
            decision=each, state="waiting", defaults={"proposer": ana, "proposed_at": timezone.now()}
        )
    found = proposals_on(case, ["a.contoso.example", "198.51.100.8", "203.0.113.1"])
    assert {value: {str(each.decision.subject_typed) for each in them} for value, them in found.items()} == {
        "a.contoso.example": {"*.contoso.example", "a.contoso.example"},
        "198.51.100.8": {"198.51.100.0/24"},
        "203.0.113.1": set(),
    }


def _steps(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield step
    for inner in step.get("Plans", ()):
        yield from _steps(inner)
