"""A batch on N values leaves the same world as N single decisions, and undone the world before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cases.actions import CannotDecide
from cases.models import Case, CaseValue, Decision, Endpoint, Proposal
from cases.rebuilding import differences, from_ledger
from footprint.accounts.models import Person
from tests.cases.batches.bulk import decided, undone
from tests.cases.world import decide_on, merge_and_settle, open_case, row

_MANY = [f"lis-w-{number}" for number in range(30)]
_ADDRESSES = st.sampled_from(["", "203.0.113.1", "203.0.113.2", "2001:db8::1"])
_NAMES = st.sampled_from(["", "a.example", "b.a.example", "c.test", "no name/", "203.0.113.2"])
_ROWS = st.lists(
    st.tuples(_ADDRESSES, _NAMES, st.sampled_from(["a.exe", "b.exe"]), st.booleans()), min_size=1, max_size=8
)
_BEFORE = st.lists(
    st.tuples(
        st.integers(0, 7), st.sampled_from(["allowed", "blocked"]), st.sampled_from(["case", "everywhere"])
    ),
    max_size=4,
)


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "FOOTPRINT", settings.FOOTPRINT.model_copy(update={"batch_step": 3}))


def values_of(case: Case) -> list[str]:
    return list(CaseValue.objects.filter(case=case).order_by("value").values_list("value", flat=True))


def decisions_by_place(states: dict[int, dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What the ledger tells of all decisions, with subjects in the place of ids."""
    kept = ("verdict", "subject_kind", "scope", "state", "case", "file_kind", "file", "proposer", "approver")
    return sorted(
        (
            each["subject"],
            *(str(each.get(name)) for name in kept),
            str(states.get(each["supersedes"], {}).get("verdict")),
        )
        for each in states.values()
    )


def world() -> dict[str, Any]:
    endpoints = Endpoint.objects.order_by("case_id", "key")
    values = CaseValue.objects.order_by("case_id", "value")
    return {
        "endpoints": list(
            endpoints.values_list("case_id", "key", "name_verdict", "address_verdict", "verdict")
        ),
        "values": list(values.values_list("case_id", "value", "verdict", "undecided", "allowed", "blocked")),
        "waiting": sorted(Proposal.objects.waiting().values_list("decision__subject", flat=True)),
        "in force": sorted(Decision.objects.in_force().values_list("subject", "scope", "verdict")),
        "ledger": decisions_by_place(from_ledger()),
    }


def rolled_back(work: Callable[[], object]) -> dict[str, Any]:
    """The world as `work` leaves it, which is then as it was."""
    with transaction.atomic():
        work()
        assert list(differences()) == []
        found = world()
        transaction.set_rollback(True)
    return found


def unless_proposed(person: Person, case: Case, value: str, verdict: str, scope: str) -> None:
    """What is proposed already is refused, and left alone by a batch."""
    with suppress(CannotDecide):
        decide_on(person, case, value, verdict, scope)


def singly(person: Person, case: Case, verdict: str, scope: str) -> None:
    for value in values_of(case):
        unless_proposed(person, case, value, verdict, scope)


def undone_if_decided(person: Person, case: Case, verdict: str, scope: str) -> None:
    batch = decided(person, case, verdict=verdict, scope=scope)
    if batch.decisions.exists():
        undone(person, batch)


@given(
    rows=_ROWS,
    other_rows=_ROWS,
    before=_BEFORE,
    verdict=st.sampled_from(["allowed", "blocked"]),
    scope=st.sampled_from(["case", "everywhere"]),
)
@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_batch_is_as_many_single_decisions(
    small_steps: None,
    rui: Person,
    ana: Person,
    rows: Any,
    other_rows: Any,
    before: Any,
    verdict: str,
    scope: str,
) -> None:
    with transaction.atomic():
        case, other = open_case(rui, "a.exe", "b.exe"), open_case(rui, "a.exe", "b.exe")
        for of_case, lines in ((case, rows), (other, other_rows)):
            merge_and_settle(
                of_case,
                *(
                    row(
                        ip, dns, file=file, devices=30 if many else 1, device_names=_MANY if many else ["one"]
                    )
                    for ip, dns, file, many in lines
                ),
            )
        values = values_of(case)
        for number, said, where in before if values else ():
            unless_proposed(ana, case, values[number % len(values)], said, where)
        if values:
            as_it_was = world()
            by_batch = rolled_back(lambda: decided(rui, case, verdict=verdict, scope=scope))
            assert by_batch == rolled_back(lambda: singly(rui, case, verdict, scope))
            after = rolled_back(lambda: undone_if_decided(rui, case, verdict, scope))
            assert [after[name] for name in ("endpoints", "values", "in force")] == [
                as_it_was[name] for name in ("endpoints", "values", "in force")
            ]
        transaction.set_rollback(True)
