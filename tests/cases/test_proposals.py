from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases.actions import decide, extend, undo, withdraw
from cases.bases import basis_of
from cases.models import Case, Decision, Proposal
from cases.proposal_actions import approve, reject, take_back
from cases.rebuilding import differences
from cases.refusals import CannotApprove, CannotDecide, ProposalMoved, UndoRefused
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from tests.cases.world import decide_on, events_of, merge_and_settle, row, verdict_of
from tests.roles import person_with


@pytest.fixture(autouse=True)
def seen(case: Case) -> None:
    merge_and_settle(case, row("1.1.1.1", "a.corp.example"), row("1.1.1.2", "b.corp.example"))


@pytest.fixture
def lea(db: None) -> Person:
    return person_with(Role.LEAD, "lea")


@pytest.fixture
def aldo(db: None) -> Person:
    return person_with(Role.ANALYST, "aldo")


def wide(actor: Person, case: Case, subject: str = "*.corp.example", **more: Any) -> Proposal:
    """A wide block everywhere of what a.corp.example lies in."""
    decision = decide_on(actor, case, "a.corp.example", subject=subject, **more)
    assert decision.state == Decision.State.PROPOSED
    return Proposal.objects.waiting().get(decision=decision)


def test_a_proposal_changes_no_verdict(case: Case, rui: Person):
    wide(rui, case)
    assert verdict_of(case, "a.corp.example") == "undecided"
    assert not Decision.objects.in_force().exists()


def test_a_proposal_keeps_what_it_was_judged_on_and_why(case: Case, rui: Person):
    proposal = wide(rui, case)
    assert proposal.why == ["It is wide: corp.example and everything below it."]
    assert sum(move[-1] for move in proposal.judged_on["moves"]) == 2


def test_an_address_that_many_devices_reach_by_names_needs_two(case: Case, rui: Person):
    names = (row("203.0.113.6", f"n{n}.example", device_names=[f"pc-{n}"], devices=1) for n in range(25))
    merge_and_settle(case, row("203.0.113.6"), *names)
    decision = decide_on(rui, case, "203.0.113.6")
    (why,) = Proposal.objects.get(decision=decision).why
    assert why.endswith("devices talk to it.")


def test_approving_puts_it_in_force_for_what_it_covers(case: Case, rui: Person, lea: Person):
    decision = approve(actor=lea, proposal=wide(rui, case))
    assert (decision.state, decision.proposer, decision.approver) == (Decision.State.IN_FORCE, rui, lea)
    assert {verdict_of(case, "a.corp.example"), verdict_of(case, "b.corp.example")} == {"blocked"}


def test_an_approved_decision_counts_from_the_approval(case: Case, rui: Person, lea: Person):
    proposal = wide(rui, case)
    assert approve(actor=lea, proposal=proposal).made_at > proposal.proposed_at


def test_nobody_approves_their_own_proposal(case: Case, lea: Person):
    with pytest.raises(CannotApprove, match="You proposed this yourself"):
        approve(actor=lea, proposal=wide(lea, case))


def test_nobody_rejects_their_own_proposal(case: Case, lea: Person):
    with pytest.raises(CannotApprove, match="You proposed this yourself"):
        reject(actor=lea, proposal=wide(lea, case), reason="No")


def test_a_wide_one_everywhere_takes_a_lead(case: Case, rui: Person, ana: Person):
    with pytest.raises(CannotApprove, match="takes a lead"):
        approve(actor=ana, proposal=wide(rui, case))


def test_a_wide_one_in_a_case_takes_a_reviewer(case: Case, rui: Person, ana: Person):
    assert approve(actor=ana, proposal=wide(rui, case, scope="case")).approver == ana


def test_an_analyst_approves_nothing(case: Case, rui: Person, aldo: Person):
    with pytest.raises(CannotApprove, match="takes a reviewer"):
        approve(actor=aldo, proposal=wide(rui, case, scope="case"))


def test_a_decision_of_an_analyst_is_a_proposal(case: Case, aldo: Person, ana: Person):
    decision = decide_on(aldo, case, "a.corp.example")
    proposal = Proposal.objects.get(decision=decision)
    assert (decision.state, proposal.why) == (
        "proposed",
        ["A reviewer decides; whoever proposes never does."],
    )
    approve(actor=ana, proposal=proposal)
    assert verdict_of(case, "a.corp.example") == "blocked"


def test_a_proposal_is_approved_once(case: Case, rui: Person, lea: Person):
    proposal = wide(rui, case)
    approve(actor=lea, proposal=proposal)
    with pytest.raises(CannotApprove, match="approved already by Lea"):
        approve(actor=lea, proposal=proposal)


def test_what_moved_since_is_not_approved_until_it_is_looked_at(case: Case, rui: Person, lea: Person):
    proposal = wide(rui, case)
    merge_and_settle(case, row("1.1.1.3", "c.corp.example"))
    with pytest.raises(ProposalMoved) as refused:
        approve(actor=lea, proposal=proposal)
    assert refused.value.now.endpoints == 3
    assert not Decision.objects.in_force().exists()
    approve(actor=lea, proposal=proposal, seen=refused.value.now.digest)
    proposal.refresh_from_db()
    assert proposal.digest == refused.value.now.digest
    assert verdict_of(case, "c.corp.example") == "blocked"


def test_rejecting_wants_a_reason_and_ends_it(case: Case, rui: Person, lea: Person):
    proposal = wide(rui, case)
    with pytest.raises(CannotDecide, match="Give a reason"):
        reject(actor=lea, proposal=proposal, reason=" ")
    rejected = reject(actor=lea, proposal=proposal, reason="Shared hosting")
    assert (rejected.state, rejected.ended_by, rejected.ended_because) == ("rejected", lea, "Shared hosting")
    assert rejected.decision.state == Decision.State.REJECTED


def test_the_proposer_takes_it_back(case: Case, rui: Person, ana: Person):
    proposal = wide(rui, case)
    with pytest.raises(CannotApprove, match="only they can take it back"):
        take_back(actor=ana, proposal=proposal)
    assert take_back(actor=rui, proposal=proposal).decision.state == Decision.State.WITHDRAWN


def test_one_proposal_waits_for_a_subject_and_scope(case: Case, rui: Person, ana: Person):
    wide(rui, case)
    with pytest.raises(CannotDecide, match="Rui Alves has proposed already"):
        wide(ana, case, verdict="allowed")


def test_after_a_rejection_it_can_be_proposed_again(case: Case, rui: Person, lea: Person):
    reject(actor=lea, proposal=wide(rui, case), reason="Too wide")
    wide(rui, case)


def test_withdrawing_a_wide_decision_is_a_proposal(case: Case, rui: Person, ana: Person, lea: Person):
    decision = approve(actor=lea, proposal=wide(rui, case))
    proposal = withdraw(actor=ana, decision=decision, reason="Was a test")
    assert proposal is not None
    assert verdict_of(case, "a.corp.example") == "blocked"
    ended = approve(actor=lea, proposal=proposal)
    assert (ended.state, ended.ended_by) == (Decision.State.WITHDRAWN, lea)
    assert verdict_of(case, "a.corp.example") == "undecided"


def test_anybody_who_decides_withdraws_a_plain_decision(case: Case, rui: Person, ana: Person):
    decision = decide_on(rui, case, "a.corp.example")
    assert withdraw(actor=ana, decision=decision, reason="Was a test") is None
    decision.refresh_from_db()
    assert (decision.state, decision.ended_by) == (Decision.State.WITHDRAWN, ana)
    assert verdict_of(case, "a.corp.example") == "undecided"


def test_withdrawing_wants_a_reason(case: Case, rui: Person):
    decision = decide_on(rui, case, "a.corp.example")
    with pytest.raises(CannotDecide, match="Give a reason"):
        withdraw(actor=rui, decision=decision, reason="")


def test_a_rejected_withdrawal_leaves_the_decision(case: Case, rui: Person, ana: Person, lea: Person):
    decision = approve(actor=lea, proposal=wide(rui, case))
    proposal = withdraw(actor=ana, decision=decision, reason="Was a test")
    assert proposal is not None
    reject(actor=lea, proposal=proposal, reason="It was none")
    decision.refresh_from_db()
    assert decision.state == Decision.State.IN_FORCE
    assert events_of()[-1] == "cases:withdrawal:rejected"


def test_a_withdrawal_is_overtaken_when_the_decision_ends_otherwise(
    case: Case, rui: Person, aldo: Person, ana: Person
):
    decision = decide_on(rui, case, "a.corp.example")
    proposal = withdraw(actor=aldo, decision=decision, reason="Looks harmless")
    assert proposal is not None
    withdraw(actor=rui, decision=decision, reason="I was wrong")
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.OVERTAKEN
    with pytest.raises(CannotApprove, match="overtaken already"):
        approve(actor=ana, proposal=proposal)


def test_what_needs_two_cannot_be_undone_by_one(case: Case, rui: Person, lea: Person):
    decision = approve(actor=lea, proposal=wide(rui, case))
    with pytest.raises(UndoRefused, match="needs a second person"):
        undo(actor=rui, decision=decision)


def test_extending_supersedes_with_a_later_expiry(case: Case, rui: Person, ana: Person):
    soon = timezone.now() + timedelta(days=2)
    decision = decide_on(rui, case, "a.corp.example", expires_at=soon)
    longer = extend(actor=ana, decision=decision, expires_at=soon + timedelta(days=30), reason="Still seen")
    assert (longer.state, longer.supersedes, longer.proposer) == ("in force", decision, ana)
    assert verdict_of(case, "a.corp.example") == "blocked"


def test_extending_what_is_wide_is_a_proposal(case: Case, rui: Person, lea: Person):
    decision = approve(actor=lea, proposal=wide(rui, case))
    longer = extend(actor=rui, decision=decision, expires_at=None, reason="For good")
    assert longer.state == Decision.State.PROPOSED
    assert approve(actor=lea, proposal=longer.proposals.get()).supersedes == decision


def test_an_expiry_in_the_past_is_refused_at_its_field(case: Case, rui: Person):
    decision = decide_on(rui, case, "a.corp.example")
    with pytest.raises(CannotDecide) as refused:
        extend(actor=rui, decision=decision, expires_at=timezone.now() - timedelta(days=1), reason="x")
    assert refused.value.field == "expires_at"


def test_a_proposal_whose_expiry_is_over_is_not_approved(case: Case, rui: Person, lea: Person):
    proposal = wide(rui, case, expires_at=timezone.now() + timedelta(days=1))
    Decision.objects.filter(pk=proposal.decision_id).update(expires_at=timezone.now())
    with pytest.raises(CannotApprove, match="expiry is over"):
        approve(actor=lea, proposal=proposal)


def test_the_ledger_tells_each_step(case: Case, rui: Person, ana: Person, lea: Person):
    before = Entry.objects.count()
    reject(actor=lea, proposal=wide(rui, case), reason="Too wide")
    take_back(actor=rui, proposal=wide(rui, case))
    decision = approve(actor=lea, proposal=wide(rui, case))
    withdrawal = withdraw(actor=ana, decision=decision, reason="Was a test")
    assert withdrawal is not None
    approve(actor=lea, proposal=withdrawal)
    assert events_of()[before:] == [
        "cases:decision:proposed",
        "cases:decision:rejected",
        "cases:decision:proposed",
        "cases:decision:taken_back",
        "cases:decision:proposed",
        "cases:decision:made",
        "cases:withdrawal:proposed",
        "cases:decision:withdrawn",
    ]
    assert list(differences()) == []


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        ("*.example", "too wide"),
        ("*.com", "too wide"),
        ("*", "cover everything"),
        ("1.0.0.0/7", "too wide"),
        ("*.other.example", "does not cover"),
        ("b.corp.example", "does not cover"),
        ("!!", "no name, address or network"),
    ],
)
def test_a_subject_that_cannot_be_is_refused_at_its_field(
    case: Case, rui: Person, subject: str, message: str
):
    with pytest.raises(CannotDecide, match=message) as refused:
        decide_on(rui, case, "a.corp.example", subject=subject)
    assert refused.value.field == "subject"


def test_a_subject_that_covers_it_may_be_typed_as_people_do(case: Case, rui: Person):
    decision = decide_on(rui, case, "a.corp.example", subject="hxxps://A[.]corp[.]example/x?y")
    assert (decision.subject_kind, decision.subject, decision.state) == ("name", "a.corp.example", "in force")


def test_the_basis_knows_what_covers_the_value_from_above(case: Case, rui: Person, lea: Person):
    before = basis_of(case, "a.corp.example")
    decision = approve(actor=lea, proposal=wide(rui, case))
    assert (before, basis_of(case, "a.corp.example")) == ("", str(decision.pk))
    assert basis_of(case, "b.corp.example") == str(decision.pk)


def test_waiting_for_somebody_is_what_they_may_approve(
    case: Case, rui: Person, ana: Person, lea: Person, aldo: Person
):
    everywhere, here = wide(rui, case), wide(rui, case, scope="case")
    waiting = Proposal.objects.order_by("pk")
    assert list(waiting.waiting_for(lea)) == [everywhere, here]
    assert list(waiting.waiting_for(ana)) == [here]
    assert list(waiting.waiting_for(rui)) == []
    assert list(waiting.waiting_for(aldo)) == []


def test_two_who_decide_directly_and_propose_meet_at_the_approval(
    case: Case, rui: Person, ana: Person, aldo: Person
):
    decide_on(aldo, case, "a.corp.example", "allowed", "case")
    decide(
        actor=rui,
        case=case,
        value="a.corp.example",
        verdict="blocked",
        scope="case",
        reason="Beacon",
        basis=basis_of(case, "a.corp.example"),
    )
    with pytest.raises(ProposalMoved):
        approve(actor=ana, proposal=Proposal.objects.get())
