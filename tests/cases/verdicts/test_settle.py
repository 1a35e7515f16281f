"""The SQL and the pure rules say the same about random worlds."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cases.deciding import new_decision
from cases.explained import explain_endpoint, judgements_of
from cases.merging import settle_unsettled
from cases.models import Case, CaseValue, Decision, Endpoint
from cases.settling import resettle
from cases.verdicts.precedence import Verdict
from cases.verdicts.settle import Reach, lock_reached, select_reached, settle, take_verdict_lock
from cases.verdicts.subject import Subject, SubjectKind, read_subject
from footprint.accounts.models import Person
from tests.cases.world import decide_on, merge_and_settle, merge_only, open_case, row

SUBJECTS = (
    *("a.corp.example", "*.corp.example", "*.a.corp.example", "*.orp.example", "two words"),
    *("1.1.1.1", "2.2.2.2", "1.1.1.0/24", "1.0.0.0/8", "2.2.0.0/15", "fe80::1", "fe80::/64", "fe80::/19"),
)
PAIRS = st.tuples(
    st.sampled_from(["", "1.1.1.1", "2.2.2.2", "::ffff:1.1.1.1", "fe80::1"]),
    st.sampled_from(
        [
            "",
            "corp.example",
            "a.corp.example",
            "b.a.corp.example",
            "1.1.1.9",
            "2.2.2.2",
            "fe80::9",
            "two words",
        ]
    ),
)
WORLDS = st.fixed_dictionaries(
    {
        "seen": st.lists(
            st.tuples(st.sampled_from([0, 1]), st.sampled_from(["a.exe", "b.exe"]), PAIRS), max_size=12
        ),
        "decided": st.lists(
            st.tuples(
                st.sampled_from(SUBJECTS),
                st.sampled_from(["allowed", "blocked"]),
                st.sampled_from(["case", "file", "everywhere"]),
                st.sampled_from([0, 1]),
                st.sampled_from(["a.exe", "b.exe"]),
                st.sampled_from(["in force", "in force", "over", "withdrawn"]),
            ),
            max_size=12,
            unique_by=lambda each: (each[0], each[2], {"case": each[3], "file": each[4]}.get(each[2])),
        ),
    }
)


def make_world(owner: Person, world: dict[str, list[Any]]) -> list[Case]:
    cases = [open_case(owner, "a.exe", "b.exe") for _ in range(2)]
    for number, case in enumerate(cases):
        merge_only(case, *(row(*pair, file=file) for of, file, pair in world["seen"] if of == number))
    for typed, verdict, scope, number, file, state in world["decided"]:
        put(owner, cases[number], typed, verdict, scope, file, state)
    return cases


def put(
    owner: Person,
    case: Case,
    typed: str,
    verdict: str = "blocked",
    scope: str = "everywhere",
    file: str = "a.exe",
    state: str = "in force",
) -> Decision:
    """A decision in any state, past the action that would refuse it for a value nobody has seen."""
    decision = new_decision(
        case=case,
        subject=Subject(SubjectKind.TEXT, typed) if " " in typed else read_subject(typed),
        verdict=verdict,
        scope=scope,
        file=case.files.get(key=file),
        reason="because",
        expires_at=None,
        proposer=owner,
    )
    if state == "over":
        decision.expires_at = timezone.now() - timedelta(seconds=1)
    if state == "withdrawn":
        decision.state = Decision.State.WITHDRAWN
    decision.save()
    return decision


def endpoints_of(cases: list[Case]) -> list[Endpoint]:
    return list(Endpoint.objects.filter(case__in=cases).select_related("file").order_by("pk"))


@settings(
    deadline=None,
    max_examples=40,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(WORLDS)
def test_sql_says_what_the_pure_rules_say(rui: Person, world: dict[str, list[Any]]):
    with transaction.atomic():
        check_world(make_world(rui, world))
        transaction.set_rollback(True)


def check_world(cases: list[Case]) -> None:
    for case in cases:
        settle_unsettled(case.pk)
    judgements = judgements_of(endpoints_of(cases))
    for endpoint in endpoints_of(cases):
        judgement = judgements[endpoint.pk]
        assert endpoint.settled
        assert endpoint.verdict == judgement.verdict, explain_endpoint(endpoint)
        for side, verdict, decision in (
            (judgement.name, endpoint.name_verdict, endpoint.name_decision_id),
            (judgement.address, endpoint.address_verdict, endpoint.address_decision_id),
        ):
            assert verdict == (side.verdict if side else Verdict.UNDECIDED)
            assert decision == (side.ruling.id if side and side.ruling else None)
    for value in CaseValue.objects.filter(case__in=cases):
        assert_value_follows(value)


@settings(
    deadline=None,
    max_examples=25,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(WORLDS)
def test_a_later_decision_settles_all_that_it_reaches(rui: Person, world: dict[str, list[Any]]):
    with transaction.atomic():
        cases = make_world(rui, world | {"decided": []})
        for case in cases:
            settle_unsettled(case.pk)
        take_verdict_lock()
        for typed, verdict, scope, number, file, state in world["decided"]:
            resettle([put(rui, cases[number], typed, verdict, scope, file, state)])
        check_world(cases)
        transaction.set_rollback(True)


def assert_value_follows(value: CaseValue) -> None:
    counts = Counter(Endpoint.objects.of_value(value).values_list("verdict", flat=True))
    assert (value.undecided, value.allowed, value.blocked) == (
        counts["undecided"],
        counts["allowed"],
        counts["blocked"],
    )
    expected = "undecided" if counts["undecided"] else "blocked" if counts["blocked"] else "allowed"
    assert value.verdict == expected
    assert value.is_open == (expected == "undecided")


def test_settling_again_changes_nothing(case: Case, rui: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    decide_on(rui, case, "a.example")
    again = settle(Endpoint.objects.values_list("pk", flat=True))
    assert (again.moves, again.values) == (Counter(), set())


def test_deciding_settles_what_is_still_unsettled(case: Case, rui: Person):
    merge_only(case, row("1.1.1.1", "a.example"))
    decide_on(rui, case, "a.example")
    assert Endpoint.objects.get().settled


def test_nothing_reached_locks_nothing(db: None):
    assert lock_reached([]) == []


def test_one_query_explains_many_endpoints(case: Case, rui: Person):
    merge_and_settle(case, *(row(f"1.1.1.{n}", f"n{n}.example") for n in range(30)))
    endpoints = endpoints_of([case])
    with CaptureQueriesContext(connection) as queries:
        judgements_of(endpoints)
    assert len(queries) == 1


def test_an_endpoint_is_explained_by_the_decisions_in_force(case: Case, rui: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"), row("1.1.1.1"))
    decide_on(rui, case, "a.example", "allowed", "case")
    decide_on(rui, case, "1.1.1.1", "blocked", "everywhere")
    assert explain_endpoint(Endpoint.objects.get(dns="a.example")) == (
        "Name: allowed by a.example in this case. Address: blocked by 1.1.1.1 everywhere. So: blocked."
    )


@pytest.mark.parametrize(
    ("kind", "subject", "indexes"),
    [
        ("below", "corp.example", ("value_backwards", "endpoint_value")),
        ("network", "10.1.0.0/16", ("endpoint_ip", "endpoint_dns_ip")),
        ("address", "10.1.2.3", ("endpoint_ip", "endpoint_dns_ip")),
        ("name", "corp.example", ("endpoint_value",)),
    ],
)
def test_what_a_decision_reaches_is_found_through_indexes(
    case: Case, kind: str, subject: str, indexes: tuple[str, ...]
):
    # In an empty table every index is as good as the right one.
    merge_and_settle(case, *(row(f"198.51.100.{n}", f"n{n}.example") for n in range(250)))
    select, parameters = select_reached(Reach(kind, subject, None, "", ""))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ANALYZE cases_casevalue, cases_endpoint")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {select}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert all(index in plan for index in indexes), plan
    assert "Seq Scan" not in plan
