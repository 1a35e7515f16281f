"""In a batch too, what is of effect needs a second person, who answers all of it as one."""

from __future__ import annotations

import pytest

from cases import settling
from cases.batches.actions import CannotChangeBatch, approve_batch, confirm, reject_batch
from cases.batches.answering import approve_step
from cases.batches.claims import claim
from cases.batches.deciding import decide_step
from cases.batches.pace import Pace
from cases.batches.renewing import RENEWED_BECAUSE
from cases.models import Batch, Case, Decision, Proposal
from cases.proposal_actions import approve
from cases.proposals import preview_now
from cases.rebuilding import differences
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from tests.cases.batches.bulk import decided, drafted, left_alone, undone, worked
from tests.cases.world import decide_on, merge_and_settle, open_case, row, verdict_of, verdicts
from tests.roles import person_with

COMMON, RARE, OTHER = "common.example", "rare.example", "other.example"


@pytest.fixture(autouse=True)
def small_steps(settings) -> None:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"batch_step": 2})


@pytest.fixture
def case(case: Case) -> Case:
    many = [f"lis-w-{number}" for number in range(25)]
    merge_and_settle(
        case,
        row(dns=COMMON, devices=25, device_names=many),
        row("203.0.113.5", devices=25, device_names=many),
        row(dns=RARE),
        row(dns=OTHER),
    )
    return case


@pytest.fixture
def lou(db: None) -> Person:
    return person_with(Role.ANALYST, "lou")


def waiting(batch: Batch) -> list[str]:
    found = Proposal.objects.waiting().filter(decision__batch=batch)
    return sorted(found.values_list("decision__subject", flat=True))


def test_only_what_needs_it_waits_for_a_second_person(rui: Person, case: Case):
    batch = decided(rui, case)
    assert (batch.decided, batch.proposed) == (2, 2)
    assert waiting(batch) == ["203.0.113.5", COMMON]
    assert (verdict_of(case, RARE), verdict_of(case, COMMON)) == ("blocked", "undecided")
    assert list(differences()) == []


def test_an_analyst_proposes_all_of_it(lou: Person, case: Case):
    batch = decided(lou, case)
    assert (batch.decided, batch.proposed) == (0, 4)
    assert set(verdicts(case).values()) == {"undecided"}


def test_all_proposals_are_approved_as_one(rui: Person, ana: Person, case: Case):
    decide_on(rui, case, RARE, "allowed")
    batch = decided(person_with(Role.ANALYST, "lou"), case)
    batch = worked(approve_batch(actor=ana, batch=batch))
    assert (batch.approved, batch.left_alone, batch.superseded) == (4, 0, 1)
    assert set(verdicts(case).values()) == {"blocked"}
    assert set(batch.decisions.values_list("state", "approver")) == {("in force", ana.pk)}
    assert batch.decisions.get(subject=RARE).supersedes is not None
    assert list(differences()) == []


def test_approved_one_by_one_the_rest_can_still_be_approved_as_one(rui: Person, ana: Person, case: Case):
    batch = decided(rui, case)
    approve(actor=ana, proposal=Proposal.objects.get(decision__subject=COMMON))
    batch = worked(approve_batch(actor=ana, batch=batch))
    assert batch.approved == 1
    assert waiting(batch) == []


@pytest.fixture
def shared(rui: Person, settings) -> Case:
    """A common address and a common name on it, a rare name on it, each in a step of its own."""
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"batch_step": 1})
    case = open_case(rui, "a.exe")
    many = [f"lis-w-{number}" for number in range(25)]
    merge_and_settle(
        case,
        row("203.0.113.7", devices=25, device_names=many),
        row("203.0.113.7", COMMON, devices=25, device_names=many),
        row("203.0.113.7", "z.rare.example"),
    )
    return case


def test_what_a_batch_decides_makes_none_of_its_proposals_stale(rui: Person, ana: Person, shared: Case):
    batch = decided(rui, shared)
    assert (batch.decided, batch.proposed) == (1, 2)
    batch = worked(approve_batch(actor=ana, batch=batch))
    assert left_alone(batch) == []
    assert (batch.approved, set(verdicts(shared).values())) == (2, {"blocked"})
    assert list(differences()) == []


def test_what_was_renewed_is_an_entry(rui: Person, shared: Case):
    decided(rui, shared)
    (entry,) = Entry.objects.filter(event="cases:batch:proposals_renewed")
    waiting = Proposal.objects.get(decision__subject="203.0.113.7")
    assert entry.content["after"]["renewed"] == {str(waiting.decision_id): waiting.digest}


def test_what_was_renewed_tells_why_and_not_what_ended_the_batch(rui: Person, ana: Person, shared: Case):
    batch = decided(rui, shared)
    Batch.objects.filter(pk=batch.pk).update(state="stopped", said="Stopped by Rui Alves.")
    approve(actor=ana, proposal=Proposal.objects.get(decision__subject=COMMON))
    last = Entry.objects.filter(event="cases:batch:proposals_renewed").order_by("seq").last()
    assert last is not None
    assert last.reason == RENEWED_BECAUSE


def test_what_somebody_else_moved_is_not_renewed_by_the_batch(rui: Person, ana: Person, shared: Case):
    batch = decided(rui, shared, "203.0.113.7", COMMON)
    merge_and_settle(shared, row("203.0.113.7", "late.example"))
    batch = worked(approve_batch(actor=ana, batch=batch))
    assert left_alone(batch) == [("203.0.113.7", "it would change something else by now; look at it alone")]
    assert waiting(batch) == ["203.0.113.7"]


def test_what_somebody_else_decided_is_not_renewed_though_nobody_settled_it_yet(
    rui: Person, ana: Person, shared: Case, monkeypatch: pytest.MonkeyPatch
):
    wide = decide_on(ana, shared, "203.0.113.7", subject="203.0.113.0/24")
    names = ("203.0.113.7", "z.rare.example")
    batch = confirm(actor=rui, batch=drafted(rui, shared, *names, verdict="allowed", scope="case"))
    held = claim(batch.pk, "tests")
    assert held is not None
    decide_step(held, Actor.person(rui), Pace())
    was = Proposal.objects.get(decision__subject="203.0.113.7", decision__batch=batch).digest
    with monkeypatch.context() as patch:
        patch.setattr(settling, "AT_ONCE", 0)
        approve(actor=person_with(Role.LEAD, "lea"), proposal=wide.proposals.get())
    decide_step(held, Actor.person(rui), Pace())
    assert batch.decisions.filter(state="in force").count() == 1
    assert Proposal.objects.get(decision__subject="203.0.113.7", decision__batch=batch).digest == was
    assert not Entry.objects.filter(event="cases:batch:proposals_renewed").exists()


def test_what_moved_between_two_steps_of_approving_is_left(rui: Person, ana: Person, shared: Case):
    batch = approve_batch(actor=ana, batch=decided(rui, shared, "203.0.113.7", COMMON))
    held = claim(batch.pk, "tests")
    assert held is not None
    approve_step(held, Actor.person(ana), Pace())
    merge_and_settle(shared, row("203.0.113.9", COMMON))
    Batch.objects.filter(pk=batch.pk).update(state="queued", lease_until=None)
    assert left_alone(worked(batch)) == [(COMMON, "it would change something else by now; look at it alone")]


def test_approved_alone_its_address_leaves_a_name_as_it_was_seen(rui: Person, ana: Person, shared: Case):
    batch = decided(rui, shared)
    approve(actor=ana, proposal=Proposal.objects.get(decision__subject="203.0.113.7"))
    batch = worked(approve_batch(actor=ana, batch=batch))
    assert (left_alone(batch), batch.approved) == ([], 1)


def test_what_would_change_something_else_by_now_keeps_waiting(rui: Person, ana: Person, case: Case):
    batch = decided(rui, case)
    merge_and_settle(open_case(rui, "a.exe"), row(dns=COMMON))
    batch = worked(approve_batch(actor=ana, batch=batch))
    assert batch.approved == 1
    assert waiting(batch) == [COMMON]
    assert left_alone(batch) == [(COMMON, "it would change something else by now; look at it alone")]


def test_all_proposals_are_rejected_with_one_reason(rui: Person, ana: Person, case: Case):
    batch = decided(rui, case)
    batch = worked(reject_batch(actor=ana, batch=batch, reason="Our own proxies"))
    assert batch.rejected == 2
    rejected = Decision.objects.filter(batch=batch, state="rejected")
    assert rejected.count() == 2
    entries = Entry.objects.filter(event="cases:decision:rejected")
    assert {(entry.reason, entry.content["after"]["batch"]) for entry in entries} == {
        ("Our own proxies", batch.pk)
    }
    assert list(differences()) == []


def test_nobody_answers_their_own_batch(rui: Person, case: Case):
    batch = decided(rui, case)
    with pytest.raises(CannotChangeBatch, match="proposed this yourself"):
        approve_batch(actor=rui, batch=batch)
    with pytest.raises(CannotChangeBatch, match="proposed this yourself"):
        reject_batch(actor=rui, batch=batch, reason="No")


def test_an_analyst_answers_no_batch(rui: Person, lou: Person, case: Case):
    batch = decided(rui, case)
    with pytest.raises(CannotChangeBatch, match="takes a reviewer"):
        approve_batch(actor=lou, batch=batch)


def test_a_batch_without_proposals_has_nothing_to_answer(rui: Person, ana: Person, case: Case):
    batch = decided(rui, case, RARE)
    with pytest.raises(CannotChangeBatch, match="None of its proposals"):
        approve_batch(actor=ana, batch=batch)


def test_what_somebody_has_proposed_already_is_left_alone(rui: Person, ana: Person, case: Case):
    decide_on(ana, case, COMMON)
    batch = decided(rui, case)
    assert (batch.decided, batch.proposed, batch.left_alone) == (2, 1, 1)
    assert left_alone(batch)[0][1].startswith("Ana Sousa has proposed already: block of common.example")


def test_undoing_takes_waiting_proposals_back(rui: Person, case: Case):
    batch = undone(rui, decided(rui, case))
    assert (batch.withdrawn, batch.left_alone) == (4, 0)
    assert set(Proposal.objects.values_list("state", flat=True)) == {"taken back"}
    assert list(differences()) == []


def test_undoing_leaves_alone_what_takes_a_second_person_to_end(rui: Person, ana: Person, case: Case):
    batch = worked(approve_batch(actor=ana, batch=decided(rui, case)))
    batch = undone(rui, batch)
    assert (batch.withdrawn, batch.left_alone) == (2, 2)
    assert [why[:36] for _, why in left_alone(batch)] == ["ending it needs a second person: 25 "] * 2
    assert verdict_of(case, COMMON) == "blocked"


def test_a_draft_is_no_proposal(rui: Person, case: Case):
    drafted(rui, case)
    assert not Proposal.objects.exists()


def test_what_undoing_a_batch_would_make_again_is_judged_too(rui: Person, case: Case, settings):
    decide_on(rui, case, RARE, "blocked")
    batch = decided(rui, case, RARE, verdict="allowed")
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"second_person_everywhere_blocks": True})
    batch = undone(rui, batch)
    assert left_alone(batch) == [(RARE, "ending it needs a second person: It blocks everywhere.")]
    assert verdict_of(case, RARE) == "allowed"


def test_undoing_a_batch_leaves_what_was_approved_since(lou: Person, rui: Person, ana: Person, case: Case):
    theirs = decide_on(lou, case, RARE, "blocked")
    batch = decided(rui, case, RARE, verdict="allowed", scope="case")
    proposal = Proposal.objects.with_decision().get(decision=theirs)
    approve(actor=ana, proposal=proposal, seen=preview_now(proposal).digest)
    batch = undone(rui, batch)
    assert left_alone(batch) == [(RARE, f"{theirs.get_verdict_display()} since by {ana}")]


def test_names_decided_after_their_address_was_proposed_do_not_make_it_stale(rui: Person, settings):
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"batch_step": 1})
    case = open_case(rui, "a.exe")
    common = [f"lis-w-{number}" for number in range(25)]
    merge_and_settle(
        case, row("203.0.113.7", devices=25, device_names=common), row("203.0.113.7", "z.rare.example")
    )
    batch = decided(rui, case, verdict="allowed", scope="case")
    assert (batch.proposed, batch.decided) == (1, 1)
    approved = worked(approve_batch(actor=person_with(Role.REVIEWER, "anneke"), batch=batch))
    assert left_alone(approved) == []
    assert approved.approved == 1


def test_in_a_closed_case_a_batch_is_rejected_and_not_approved(lou: Person, ana: Person, case: Case):
    batch = decided(lou, case)
    Case.objects.filter(pk=case.pk).update(state=Case.State.CLOSED)
    with pytest.raises(CannotChangeBatch, match="It can be approved once that is reopened"):
        approve_batch(actor=ana, batch=batch)
    assert Batch.objects.get().state == Batch.State.DONE
    batch = worked(reject_batch(actor=ana, batch=batch, reason="Nobody asks any more"))
    assert (batch.state, batch.rejected) == (Batch.State.DONE, 4)
