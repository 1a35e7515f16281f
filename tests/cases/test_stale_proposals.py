"""An approval after anything that the proposal was judged on has changed is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from cases.actions import extend, withdraw
from cases.batches.actions import approve_batch
from cases.models import Case, Decision, Endpoint, Proposal
from cases.proposal_actions import approve
from cases.proposals import preview_now
from cases.refusals import ProposalMoved
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from tests.cases.batches.bulk import decided, left_alone, worked
from tests.cases.verdicts.test_settle import put
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.roles import person_with

NAME = "a.corp.example"


@pytest.fixture(autouse=True)
def seen(case: Case) -> None:
    merge_and_settle(case, row("1.1.1.1", NAME), row("1.1.1.2", "b.corp.example"))


@pytest.fixture
def lea(db: None) -> Person:
    return person_with(Role.LEAD, "lea")


@pytest.fixture
def wide(case: Case, rui: Person, lea: Person) -> Decision:
    """A wide block in force for a week."""
    soon = timezone.now() + timedelta(days=7)
    decision = decide_on(rui, case, NAME, subject="*.corp.example", expires_at=soon)
    return approve(actor=lea, proposal=decision.proposals.get())


def extension(wide: Decision, rui: Person) -> Proposal:
    return extend(actor=rui, decision=wide, expires_at=None, reason="For good").proposals.get()


def withdrawal(wide: Decision, rui: Person) -> Proposal:
    proposal = withdraw(actor=rui, decision=wide, reason="Was a test")
    assert proposal is not None
    return proposal


def refused(lea: Person, proposal: Proposal) -> None:
    with pytest.raises(ProposalMoved):
        approve(actor=lea, proposal=proposal)


ENDS = [extension, withdrawal]
Propose = Callable[[Decision, Person], Proposal]


@pytest.mark.parametrize("propose", ENDS)
def test_what_nobody_touched_is_approved(wide: Decision, rui: Person, lea: Person, propose: Propose):
    approve(actor=lea, proposal=propose(wide, rui))


@pytest.mark.parametrize("propose", ENDS)
def test_it_has_moved_when_it_governs_one_more(
    wide: Decision, case: Case, rui: Person, lea: Person, propose: Propose
):
    proposal = propose(wide, rui)
    merge_and_settle(case, row("", "c.corp.example"))
    refused(lea, proposal)


def test_an_extension_has_moved_when_what_it_extends_is_another_decision(
    wide: Decision, rui: Person, lea: Person
):
    proposal = extension(wide, rui)
    approve(actor=lea, proposal=withdrawal(wide, rui))
    again = put(rui, Case.objects.get(), "*.corp.example")
    Endpoint.objects.update(name_decision=again)
    refused(lea, proposal)


def test_an_extension_has_moved_when_what_it_extends_has_expired(wide: Decision, rui: Person, lea: Person):
    proposal = extension(wide, rui)
    Decision.objects.filter(pk=wide.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    refused(lea, proposal)


def test_equal_numbers_of_other_endpoints_are_another_change(case: Case, rui: Person, lea: Person):
    proposal = decide_on(rui, case, NAME, subject="*.corp.example").proposals.get()
    decide_on(lea, case, NAME, "blocked", "case")
    merge_and_settle(case, row("1.1.1.3", "c.corp.example"))
    now = preview_now(proposal)
    assert now.as_kept()["moves"] == proposal.judged_on["moves"]
    refused(lea, proposal)


def test_what_is_replaced_has_changed_though_no_number_has(case: Case, rui: Person, lea: Person):
    allow = decide_on(lea, case, NAME, "allowed", "everywhere")
    common = [f"pc-{number}" for number in range(25)]
    merge_and_settle(case, row("1.1.1.1", NAME, devices=25, device_names=common))
    proposal = decide_on(rui, case, NAME, "blocked", "everywhere").proposals.get()
    # The same words again, by somebody else: what would end is no longer what was judged.
    Decision.objects.filter(pk=allow.pk).update(version=allow.version + 1)
    refused(lea, proposal)


def test_a_block_that_would_be_overridden_counts_before_anything_of_it_is_seen(
    case: Case, rui: Person, lea: Person
):
    proposal = decide_on(rui, case, NAME, "allowed", "case", subject="*.corp.example").proposals.get()
    put(lea, case, "evil.corp.example", "blocked", "everywhere")
    refused(lea, proposal)


@pytest.mark.parametrize("block", ["x.a{}b.corp.example", "*.x.a{}b.corp.example"])
def test_an_underscore_in_a_name_stands_for_itself(case: Case, rui: Person, lea: Person, block: str):
    merge_and_settle(case, row("", "y.a_b.corp.example"))
    for letter in "z_":
        put(lea, case, block.format(letter), "blocked", "everywhere")
    wide = decide_on(rui, case, "y.a_b.corp.example", "allowed", "case", subject="*.a_b.corp.example")
    overrides = [why for why in wide.proposals.get().why if "overrides" in why]
    assert overrides == [f"It overrides the block of {block.format('_')}, everywhere."]


def test_many_overridden_blocks_are_named_in_part_and_counted_whole(case: Case, rui: Person, lea: Person):
    for number in range(5):
        put(lea, case, f"n{number}.corp.example", "blocked", "everywhere")
    wide = decide_on(rui, case, NAME, "allowed", "case", subject="*.corp.example")
    (why,) = [each for each in wide.proposals.get().why if "overrides" in each]
    assert why.endswith("n2.corp.example, everywhere and 2 more.")


def test_a_block_inside_a_network_would_be_overridden(case: Case, rui: Person, lea: Person):
    merge_and_settle(case, row("1.1.1.7"))
    put(lea, case, "1.1.1.128/25", "blocked", "everywhere")
    put(lea, case, "1.1.2.1", "blocked", "everywhere")
    wide = decide_on(rui, case, "1.1.1.7", "allowed", "case", subject="1.1.1.0/24")
    assert "It overrides the block of 1.1.1.128/25, everywhere." in wide.proposals.get().why


def test_a_proposal_of_a_batch_is_left_alone_when_what_it_replaces_has_changed(
    case: Case, rui: Person, lea: Person
):
    ana = person_with(Role.ANALYST, "anneke")
    allow = decide_on(lea, case, NAME, "allowed", "everywhere")
    batch = decided(ana, case, NAME)
    Decision.objects.filter(pk=allow.pk).update(version=allow.version + 1)
    answered = worked(approve_batch(actor=lea, batch=batch))
    assert left_alone(answered) == [(NAME, "it would change something else by now; look at it alone")]


def test_a_proposed_extension_supersedes_nothing_yet(wide: Decision, rui: Person, case: Case):
    first = put(rui, open_case(rui, "a.exe"), "9.9.9.9")
    Decision.objects.filter(pk=wide.pk).update(supersedes=first)
    longer = extension(wide, rui).decision
    assert longer.supersedes is None
    entry = Entry.objects.filter(event="cases:decision:proposed").latest("seq")
    assert entry.content["after"]["supersedes"] is None
