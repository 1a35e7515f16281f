"""Who decides alone and who does not: every sentence of the design."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from cases.actions import extend, withdraw
from cases.models import Case, Decision, KnownEntry, KnownList
from cases.proposal_actions import approve, reject
from cases.refusals import CannotApprove, CannotDecide, ProposalMoved
from footprint.accounts.models import Person, Role
from tests.cases.design.subjects import ADDRESS, NAME
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.roles import person_with


# Four eyes: (sentence, how it is asked for, whether a second person is needed)
def common(case: Case, devices: int = 1, cases: int = 0) -> None:
    names = [f"pc-{number:02}" for number in range(min(devices, 26))]
    of_row: dict[str, Any] = {"devices": devices, "device_names": names}
    merge_and_settle(case, row("", "common.contoso.com", **of_row))
    for _ in range(cases):
        merge_and_settle(open_case(case.owner, "a.exe"), row("", "common.contoso.com"))


@pytest.fixture
def good_list(db: None) -> None:
    """A known-good list that has contoso.com and everything below it."""
    known = KnownList.objects.create(
        slug="good",
        title="Good names",
        category=KnownList.Category.GOOD,
        origin=KnownList.Origin.FILE,
        entry_count=1,
        sha256="0" * 64,
        loaded_at=timezone.now(),
    )
    KnownEntry.objects.create(known_list=known, name="contoso.com", below=True)


@pytest.fixture
def every_block(settings: Any) -> None:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"second_person_everywhere_blocks": True})


NEEDS_TWO: tuple[tuple[str, dict[str, Any], dict[str, Any], bool], ...] = (
    ("an exact block of a rare value needs nobody else", {}, {}, False),
    ("wide: a star", {}, {"subject": "*.contoso.com"}, True),
    ("wide: a star in this case only", {}, {"subject": "*.contoso.com", "scope": "case"}, True),
    ("24 devices are not many", {"devices": 24}, {}, False),
    ("25 devices are", {"devices": 25}, {}, True),
    ("2 other cases are not many", {"cases": 2}, {}, False),
    ("3 other cases are", {"cases": 3}, {}, True),
)  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "world", "asked", "needed"), NEEDS_TWO, ids=[each[0] for each in NEEDS_TWO]
)
def test_four_eyes_in_proportion(
    sentence: str, world: dict[str, Any], asked: dict[str, Any], needed: bool, case: Case, rui: Person
):
    common(case, **world)
    decision = decide_on(rui, case, "common.contoso.com", **asked)
    assert (decision.state == Decision.State.PROPOSED) == needed, sentence


def test_four_eyes_for_a_network(seen: Case, rui: Person):
    assert decide_on(rui, seen, ADDRESS, subject="40.1.2.0/24").state == "proposed"


@pytest.mark.parametrize(("verdict", "state"), [("blocked", "proposed"), ("allowed", "in force")])
def test_four_eyes_for_what_contradicts_a_known_good_list(
    seen: Case, rui: Person, verdict: str, state: str, good_list: None
):
    assert decide_on(rui, seen, NAME, verdict).state == state


def test_four_eyes_name_the_block_of_a_wider_scope_that_would_be_overridden(seen: Case, rui: Person):
    decide_on(rui, seen, NAME, "blocked", "everywhere")
    wide = decide_on(rui, seen, NAME, "allowed", "case", subject="*.contoso.com")
    assert "It overrides the block of login.contoso.com, everywhere." in wide.proposals.get().why


def test_four_eyes_for_every_everywhere_block_by_a_setting(seen: Case, rui: Person, every_block: None):
    assert decide_on(rui, seen, NAME, "blocked", "everywhere").state == "proposed"
    assert decide_on(rui, seen, ADDRESS, "blocked", "case").state == "in force"


def test_four_eyes_for_widening(seen: Case, rui: Person):
    decide_on(rui, seen, NAME)
    assert decide_on(rui, seen, NAME, subject="*.contoso.com").state == "proposed"


def test_four_eyes_for_extending(wide: Decision, rui: Person):
    longer = extend(actor=rui, decision=wide, expires_at=None, reason="For good")
    assert longer.state == "proposed"


def test_four_eyes_for_withdrawing(wide: Decision, lea: Person):
    assert withdraw(actor=lea, decision=wide, reason="Was a test") is not None
    wide.refresh_from_db()
    assert wide.state == "in force"


def test_four_eyes_for_superseding(seen: Case, wide: Decision, rui: Person):
    assert decide_on(rui, seen, NAME, "allowed", subject="*.contoso.com").state == "proposed"


def test_the_proposer_never_approves(seen: Case, lea: Person):
    decision = decide_on(lea, seen, NAME, subject="*.contoso.com")
    with pytest.raises(CannotApprove):
        approve(actor=lea, proposal=decision.proposals.get())


def test_a_proposal_stores_what_it_was_judged_on_and_is_refused_when_that_moved(
    seen: Case, rui: Person, lea: Person
):
    proposal = decide_on(rui, seen, NAME, subject="*.contoso.com").proposals.get()
    assert proposal.judged_on["moves"]
    merge_and_settle(seen, row("", "new.contoso.com"))
    with pytest.raises(ProposalMoved):
        approve(actor=lea, proposal=proposal)


def test_a_decision_of_an_analyst_is_always_a_proposal(seen: Case):
    assert decide_on(person_with(Role.ANALYST, "aldo"), seen, NAME).state == "proposed"


def test_a_rejection_has_a_reason(seen: Case, rui: Person, lea: Person):
    proposal = decide_on(rui, seen, NAME, subject="*.contoso.com").proposals.get()
    with pytest.raises(CannotDecide):
        reject(actor=lea, proposal=proposal, reason="")
