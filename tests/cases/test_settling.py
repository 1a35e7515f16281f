"""What reaches many endpoints is in force at once and settles in batches."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from cases import settling
from cases.actions import withdraw
from cases.merging import settle_unsettled
from cases.models import Case, Decision, Endpoint, Resettling
from cases.proposal_actions import approve
from cases.settling import settle_waiting, waiting_in, waiting_values
from cases.tasks import settle_waiting as settle_task
from cases.verdicts.settle import settle as settle_now
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from tests.cases.verdicts.test_settle import assert_value_follows, check_world
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, merge_only, row, value_of, verdict_of
from tests.roles import client_of, person_with


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "AT_ONCE", 3)
    monkeypatch.setattr(settling, "BATCH", 2)


@pytest.fixture(autouse=True)
def seen(case: Case) -> None:
    merge_and_settle(case, *(row(f"203.0.113.{n}", f"n{n}.corp.example") for n in range(5)))


@pytest.fixture
def wide(case: Case, rui: Person) -> Decision:
    """A wide block in force of more endpoints than are settled at once."""
    decision = decide_on(rui, case, "n1.corp.example", subject="*.corp.example")
    return approve(actor=person_with(Role.LEAD, "lea"), proposal=decision.proposals.get())


def test_a_wide_decision_is_in_force_before_its_endpoints_are_settled(case: Case, wide: Decision):
    assert wide.state == Decision.State.IN_FORCE
    assert (waiting_in(case.pk).endpoints, verdict_of(case, "n1.corp.example")) == (5, "undecided")
    assert waiting_values(case.pk, ["n1.corp.example", "other.example"]) == {"n1.corp.example": 1}


def test_the_task_settles_all_of_it(case: Case, wide: Decision):
    settle_task()
    assert not waiting_in(case.pk)
    assert {verdict_of(case, f"n{n}.corp.example") for n in range(5)} == {"blocked"}
    assert_value_follows(value_of(case, "n1.corp.example"))
    check_world([case])


def test_a_few_endpoints_are_settled_at_once(case: Case, rui: Person):
    decide_on(rui, case, "n1.corp.example")
    assert (waiting_in(case.pk).endpoints, verdict_of(case, "n1.corp.example")) == (0, "blocked")


def test_settling_goes_on_where_it_was_killed(case: Case, wide: Decision, monkeypatch: pytest.MonkeyPatch):
    settle, calls = settle_now, []

    def killed_at_the_second(ids: Any) -> Any:
        calls.append(ids)
        if len(calls) == 2:
            raise DatabaseError("gone")
        return settle(ids)

    monkeypatch.setattr(settling, "settle", killed_at_the_second)
    with pytest.raises(DatabaseError), transaction.atomic():
        settle_waiting()
    monkeypatch.setattr(settling, "settle", settle)
    assert settle_waiting() in {3, 5}
    assert not waiting_in(case.pk)
    check_world([case])


def test_what_comes_in_between_is_judged_by_the_decision_in_force(case: Case, wide: Decision):
    merge_only(case, row("203.0.113.9", "n9.corp.example"))
    settle_unsettled(case.pk)
    assert verdict_of(case, "n9.corp.example") == "blocked"


def test_a_narrower_decision_made_in_between_stays_right(case: Case, wide: Decision, ana: Person):
    decide_on(ana, case, "n1.corp.example", "allowed", "case")
    settle_waiting()
    assert (verdict_of(case, "n1.corp.example"), verdict_of(case, "n2.corp.example")) == (
        "allowed",
        "blocked",
    )
    check_world([case])


def test_two_wide_changes_wait_for_each_endpoint_once(case: Case, wide: Decision, rui: Person):
    proposal = withdraw(actor=rui, decision=wide, reason="Was a test")
    assert proposal is not None
    approve(actor=person_with(Role.LEAD, "lou"), proposal=proposal, seen="")
    assert Resettling.objects.count() == 5
    settle_waiting()
    assert {each.verdict for each in Endpoint.objects.all()} == {"undecided"}


def test_the_ledger_foretells_the_effect(case: Case, wide: Decision):
    effect = Entry.objects.get(event="cases:decision:made").content["after"]["effect"]
    assert effect == {
        "endpoints": {"undecided to blocked": 5},
        "values": 5,
        "cases": 1,
        "in_batches": True,
    }


def test_pages_say_that_it_settles_and_show_no_old_verdict_as_final(case: Case, wide: Decision, rui: Person):
    site: Client = client_of(rui)
    page = site.get(f"/cases/{case.pk}/").content.decode()
    assert "Settling, 5 endpoints left." in page
    assert page.count("the verdict may change") == 5
    settle_waiting()
    assert "Settling" not in site.get(f"/cases/{case.pk}/settling").content.decode()


def test_settling_again_finds_nothing(case: Case, wide: Decision):
    settle_waiting()
    assert settle_waiting() == 0


def test_taking_a_batch_locks_in_the_common_order(case: Case, wide: Decision):
    with connection.execute_wrapper(_expects_the_lock_first()):
        settle_waiting()


def _expects_the_lock_first() -> Any:
    locked = []

    def check(execute: Any, sql: str, *arguments: Any) -> Any:
        if "pg_advisory_xact_lock" in sql:
            locked.append(sql)
        if "DELETE FROM cases_resettling" in sql:
            assert locked
        return execute(sql, *arguments)

    return check


def test_what_was_never_judged_waits_too(case: Case):
    merge_only(case, row("", "new.corp.example"), row("203.0.113.0", "n0.corp.example", file="b.exe"))
    assert waiting_in(case.pk).endpoints == 2
    assert waiting_values(case.pk, ["new.corp.example", "n0.corp.example", "n1.corp.example"]) == {
        "new.corp.example": 1,
        "n0.corp.example": 1,
    }


def test_what_a_decision_reaches_and_nobody_judged_yet_waits_too(case: Case, wide: Decision):
    settle_waiting()
    merge_only(case, row("", "new.corp.example"), row("", "other.example"))
    assert settling.waiting_of(wide) == settling.Waiting(1)


def test_an_endpoint_that_waits_for_two_causes_is_counted_once(case: Case, wide: Decision):
    Endpoint.objects.filter(case=case, value="n1.corp.example").update(settled=False)
    assert waiting_in(case.pk).endpoints == 5


def test_no_more_is_counted_than_people_want_to_know(
    case: Case, wide: Decision, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(settling, "COUNTED_AT_MOST", 3)
    assert waiting_in(case.pk) == settling.Waiting(3, is_more=True)
    assert settling.waiting_of(wide) == settling.Waiting(3, is_more=True)


def test_the_page_of_a_decision_says_what_is_left_to_settle(case: Case, wide: Decision):
    site = client_of(person_with(Role.READER))
    said = text_of(site.get(f"/decisions/{wide.pk}/"))
    assert "Settling, 5 endpoints left." in said
    assert "Nothing that was observed so far" not in said
    settle_waiting()
    said = text_of(site.get(f"/decisions/{wide.pk}/"))
    assert "Settling" not in said
    assert "5 endpoints in 1 case" in said


def test_the_queue_says_that_values_are_still_to_be_settled(case: Case):
    merge_only(case, row("", "new.corp.example"))
    said = text_of(client_of(person_with(Role.READER)).get(f"/cases/{case.pk}/"))
    assert "Settling, 1 endpoint left." in said
    assert (
        "1 endpoint still to be settled"
        in client_of(person_with(Role.READER, "rea")).get(f"/cases/{case.pk}/").content.decode()
    )


def test_each_side_of_what_waits_is_bound_for_itself(case: Case):
    asked = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        waiting_in(case.pk)
    (sql,) = asked
    assert sql.count("LIMIT %(few)s)") == 2
