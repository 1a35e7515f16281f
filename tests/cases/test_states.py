from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from cases.actions import CannotDecide
from cases.case_actions import CannotChange, CaseChangedMeanwhile
from cases.models import Case
from cases.state_actions import change_state, in_words, reopen_by_evidence, staying_in_force
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor, change
from tests.cases.test_deciding import pass_expiry
from tests.cases.world import decide_on, merge_and_settle, row, verdict_of


@pytest.fixture
def case(case: Case) -> Case:
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"))
    return case


def move(actor: Person, case: Case, state: str, reason: str = "") -> Case:
    return change_state(actor=actor, case=case, version=case.version, state=state, reason=reason)


def decide_all(actor: Person, case: Case) -> None:
    decide_on(actor, case, "a.example")
    decide_on(actor, case, "b.example", "allowed", scope="case")


def test_a_state_change_is_kept_with_who_when_and_why(case: Case, rui: Person):
    moved = Case.objects.get(pk=move(rui, case, "watching", "Waits for the vendor ").pk)
    assert (moved.state, moved.state_by, moved.state_reason) == ("watching", rui, "Waits for the vendor")
    assert moved.state_at is not None


def test_the_entry_has_the_states_before_and_after(case: Case, rui: Person):
    decide_all(rui, case)
    move(rui, case, "closed")
    entry = Entry.objects.latest("seq")
    assert (entry.event, entry.content["before"]) == ("cases:case:closed", {"state": "open"})
    assert entry.content["after"] == {
        "state": "closed",
        "undecided": 0,
        "in_force": "1 block everywhere and 1 allow in this case stay in force.",
    }


def test_closing_with_undecided_values_needs_a_reason(case: Case, rui: Person):
    with pytest.raises(CannotChange, match="2 values are undecided") as refused:
        move(rui, case, "closed", " ")
    assert refused.value.field == "reason"
    assert move(rui, case, "closed", "Merged into another case").state == "closed"


def test_closing_needs_no_reason_when_everything_is_decided(case: Case, rui: Person):
    decide_all(rui, case)
    assert move(rui, case, "closed").state == "closed"


@pytest.mark.parametrize("reason", ["\u202eevil", "a\x07b", "x" * 2001])
def test_a_reason_that_nobody_can_read_is_refused(case: Case, rui: Person, reason: str):
    with pytest.raises(CannotChange) as refused:
        move(rui, case, "closed", reason)
    assert refused.value.field == "reason"


def test_a_state_that_is_none_is_refused(case: Case, rui: Person):
    with pytest.raises(CannotChange, match="Choose"):
        move(rui, case, "archived", "x")


def test_a_state_the_case_is_in_already_is_refused(case: Case, rui: Person):
    with pytest.raises(CannotChange, match="open already"):
        move(rui, case, "open")


def test_whoever_has_not_seen_the_latest_change_changes_nothing(case: Case, rui: Person, ana: Person):
    move(ana, case, "watching")
    with pytest.raises(CaseChangedMeanwhile) as meanwhile:
        move(rui, case, "closed", "x")
    assert (meanwhile.value.who, meanwhile.value.current.state) == ("Ana Sousa", "watching")
    assert Case.objects.get(pk=case.pk).state == "watching"


def test_decisions_stay_in_force_when_their_case_is_closed(case: Case, other_case: Case, rui: Person):
    merge_and_settle(other_case, row(dns="a.example"))
    decide_all(rui, case)
    move(rui, case, "closed")
    assert verdict_of(other_case, "a.example") == "blocked"


@pytest.mark.parametrize("state", ["watching", "closed"])
def test_only_a_live_case_is_decided_in(case: Case, rui: Person, state: str):
    move(rui, case, state, "x")
    if state == "watching":
        assert decide_on(rui, case, "a.example").state == "in force"
    else:
        with pytest.raises(CannotDecide, match="closed"):
            decide_on(rui, case, "a.example")


def test_what_stays_in_force_counts_no_decision_past_its_time(case: Case, rui: Person):
    decide_all(rui, case)
    pass_expiry(decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1)))
    assert [each.words for each in staying_in_force(case)] == ["1 allow in this case"]


def test_one_decision_stays_and_none_says_nothing(case: Case, rui: Person):
    assert in_words(staying_in_force(case)) == ""
    decide_on(rui, case, "a.example")
    assert in_words(staying_in_force(case)) == "1 block everywhere stays in force."


@pytest.mark.parametrize("state", ["watching", "closed"])
def test_new_undecided_values_bring_a_case_back(case: Case, rui: Person, state: str):
    move(rui, case, state, "x")
    with change(actor=Actor.run(7)) as ledger:
        assert reopen_by_evidence(ledger, case.pk, undecided=3, by="Run 7")
    back = Case.objects.get(pk=case.pk)
    assert (back.state, back.state_by) == ("open", None)
    assert back.state_reason == "Run 7 found 3 new values, undecided."
    entry = Entry.objects.latest("seq")
    assert (entry.event, entry.actor_name) == ("cases:case:reopened", "run 7")


@pytest.mark.parametrize(("state", "undecided"), [("watching", 0), ("open", 3)])
def test_nothing_comes_back_without_evidence_or_that_is_open(
    case: Case, rui: Person, state: str, undecided: int
):
    Case.objects.filter(pk=case.pk).update(state=state)
    with change(actor=Actor.run(7)) as ledger:
        assert not reopen_by_evidence(ledger, case.pk, undecided=undecided, by="Run 7")
    assert Case.objects.get(pk=case.pk).version == case.version
