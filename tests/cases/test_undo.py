from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from cases.actions import expire_due, undo
from cases.models import Case, Decision, Proposal
from cases.proposal_actions import approve
from cases.proposals import preview_now
from cases.refusals import UndoRefused
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from tests.cases.test_deciding import pass_expiry
from tests.cases.world import decide_on, events_of, merge_and_settle, row, verdict_of
from tests.roles import person_with


@pytest.fixture(autouse=True)
def seen(case: Case, other_case: Case) -> None:
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    merge_and_settle(other_case, row("1.1.1.1", "a.example"))


def test_undoing_withdraws_and_makes_undecided_again(case: Case, rui: Person):
    decision = decide_on(rui, case, "a.example")
    undone = undo(actor=rui, decision=decision)
    decision.refresh_from_db()
    assert (decision.state, decision.ended_by, undone.remade) == (Decision.State.WITHDRAWN, rui, None)
    assert verdict_of(case, "a.example") == "undecided"
    assert undone.effect["endpoints"] == {"blocked to undecided": 2}


def test_what_was_superseded_is_made_again_as_a_new_decision(case: Case, rui: Person, ana: Person):
    theirs = decide_on(ana, case, "a.example", "allowed", reason="Vendor's update host")
    undone = undo(actor=rui, decision=decide_on(rui, case, "a.example", "blocked"))
    remade = undone.remade
    assert remade is not None
    assert remade.pk != theirs.pk
    assert (remade.verdict, remade.reason, remade.proposer) == ("allowed", "Vendor's update host", ana)
    assert verdict_of(case, "a.example") == "allowed"
    theirs.refresh_from_db()
    assert theirs.state == Decision.State.SUPERSEDED


def test_undoing_one_after_the_other_goes_all_the_way_back(case: Case, rui: Person):
    decide_on(rui, case, "a.example", "blocked", reason="first")
    decide_on(rui, case, "a.example", "allowed", reason="second")
    third = decide_on(rui, case, "a.example", "blocked", reason="third")
    second = undo(actor=rui, decision=third).remade
    assert second is not None
    first = undo(actor=rui, decision=second).remade
    assert first is not None
    assert (second.reason, first.reason) == ("second", "first")
    assert undo(actor=rui, decision=first).remade is None
    assert verdict_of(case, "a.example") == "undecided"


def test_what_was_superseded_is_not_made_again_when_its_time_is_over(case: Case, rui: Person):
    first = decide_on(rui, case, "a.example", "blocked", expires_at=timezone.now() + timedelta(days=1))
    second = decide_on(rui, case, "a.example", "allowed")
    pass_expiry(first)
    assert undo(actor=rui, decision=second).remade is None
    assert verdict_of(case, "a.example") == "undecided"


def test_only_the_maker_undoes(case: Case, rui: Person, ana: Person):
    decision = decide_on(rui, case, "a.example")
    with pytest.raises(UndoRefused) as refused:
        undo(actor=ana, decision=decision)
    assert refused.value.why == "Rui Alves made this decision; only they can undo it."


def test_a_withdrawn_decision_is_not_undone_twice(case: Case, rui: Person):
    decision = decide_on(rui, case, "a.example")
    undo(actor=rui, decision=decision)
    with pytest.raises(UndoRefused) as refused:
        undo(actor=rui, decision=decision)
    assert "no longer in force (withdrawn)" in refused.value.why


def test_a_decision_past_its_time_is_told_as_expired(case: Case, rui: Person):
    decision = decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1))
    pass_expiry(decision)
    with pytest.raises(UndoRefused) as refused:
        undo(actor=rui, decision=decision)
    assert refused.value.why == "This decision is no longer in force (expired)."


def test_a_superseded_decision_is_not_undone_and_the_current_one_is_told(
    case: Case, rui: Person, ana: Person
):
    mine = decide_on(rui, case, "a.example", "blocked")
    theirs = decide_on(ana, case, "a.example", "allowed")
    with pytest.raises(UndoRefused) as refused:
        undo(actor=rui, decision=mine)
    assert refused.value.current == theirs


def test_a_decision_in_another_scope_since_then_refuses_the_undo(case: Case, rui: Person, ana: Person):
    mine = decide_on(rui, case, "a.example", "blocked", "everywhere")
    theirs = decide_on(ana, case, "a.example", "allowed", "case")
    with pytest.raises(UndoRefused) as refused:
        undo(actor=rui, decision=mine)
    assert refused.value.current == theirs
    assert refused.value.why == "Ana Sousa has decided since: allow of a.example, in this case."


def test_a_decision_that_reaches_another_case_only_does_not(
    case: Case, other_case: Case, rui: Person, ana: Person
):
    mine = decide_on(rui, case, "a.example", "blocked", "everywhere")
    decide_on(ana, other_case, "a.example", "allowed", "case")
    undo(actor=rui, decision=mine)
    assert verdict_of(case, "a.example") == "undecided"
    assert verdict_of(other_case, "a.example") == "allowed"


def test_an_expired_decision_is_not_undone(case: Case, rui: Person):
    decision = decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1))
    pass_expiry(decision)
    with pytest.raises(UndoRefused):
        undo(actor=rui, decision=decision)
    expire_due()
    with pytest.raises(UndoRefused):
        undo(actor=rui, decision=decision)


def test_undoing_leaves_an_entry_for_each_side(case: Case, rui: Person):
    first = decide_on(rui, case, "a.example", "allowed")
    second = decide_on(rui, case, "a.example", "blocked")
    undone = undo(actor=rui, decision=second)
    assert events_of()[-2:] == ["cases:decision:withdrawn", "cases:decision:made"]
    withdrawn, made = (entry.content for entry in Entry.objects.order_by("-seq")[:2][::-1])
    assert (withdrawn["subject"]["id"], withdrawn["before"]["state"]) == (str(second.pk), "in force")
    assert withdrawn["after"]["effect"]["endpoints"] == {"blocked to allowed": 2}
    assert undone.remade is not None
    assert withdrawn["after"]["made_again"] == undone.remade.pk
    assert made["after"]["made_again_from"] == first.pk


def test_a_refused_undo_writes_nothing(case: Case, rui: Person, ana: Person):
    decision = decide_on(rui, case, "a.example")
    entries = Entry.objects.count()
    with pytest.raises(UndoRefused):
        undo(actor=ana, decision=decision)
    assert Entry.objects.count() == entries


def test_nothing_is_undone_in_a_closed_case(case: Case, rui: Person):
    decision = decide_on(rui, case, "a.example")
    Case.objects.filter(pk=case.pk).update(state=Case.State.CLOSED)
    with pytest.raises(UndoRefused, match="closed"):
        undo(actor=rui, decision=decision)


def test_what_was_proposed_earlier_and_approved_later_refuses_the_undo(case: Case, rui: Person, ana: Person):
    theirs = decide_on(person_with(Role.ANALYST, "lou"), case, "a.example", "blocked")
    mine = decide_on(rui, case, "a.example", "allowed", "case")
    proposal = Proposal.objects.with_decision().get(decision=theirs)
    approve(actor=ana, proposal=proposal, seen=preview_now(proposal).digest)
    with pytest.raises(UndoRefused) as refused:
        undo(actor=rui, decision=mine)
    assert refused.value.current == theirs


def test_what_was_approved_is_undone_when_nothing_was_decided_since(case: Case, ana: Person, rui: Person):
    mine = decide_on(rui, case, "a.example", "allowed", "case")
    early = Decision.objects.filter(pk=mine.pk)
    decide_on(ana, case, "a.example", "allowed", "everywhere")
    early.update(made_at=timezone.now())
    assert undo(actor=rui, decision=early.get()).withdrawn.pk == mine.pk


def test_what_would_be_made_again_is_judged_too(case: Case, rui: Person, settings):
    decide_on(rui, case, "a.example", "blocked")
    second = decide_on(rui, case, "a.example", "allowed")
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"second_person_everywhere_blocks": True})
    with pytest.raises(UndoRefused, match="It blocks everywhere"):
        undo(actor=rui, decision=second)
