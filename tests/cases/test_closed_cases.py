"""Closing a case leaves its decisions in force, and as they are until it is reopened."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from cases.actions import extend, withdraw
from cases.models import Case, Decision, Proposal
from cases.proposal_actions import approve, reject
from cases.refusals import CannotDecide
from footprint.accounts.models import Person, Role
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, row
from tests.roles import person_with

NAME = "a.corp.example"


@pytest.fixture
def site(client: Client, rui: Person) -> Client:
    client.force_login(rui)
    return client


@pytest.fixture
def own(case: Case, rui: Person) -> Decision:
    """A block in this case alone, for a week."""
    merge_and_settle(case, row("", NAME))
    return decide_on(rui, case, NAME, scope="case", expires_at=timezone.now() + timedelta(days=7))


def close(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(state=Case.State.CLOSED)


def test_what_counts_in_a_closed_case_is_not_withdrawn(own: Decision, case: Case, rui: Person):
    close(case)
    with pytest.raises(CannotDecide, match="closed"):
        withdraw(actor=rui, decision=own, reason="Was a test")
    assert own in Decision.objects.in_force()


def test_what_counts_in_a_closed_case_is_not_extended(own: Decision, case: Case, rui: Person):
    close(case)
    with pytest.raises(CannotDecide, match="closed"):
        extend(actor=rui, decision=own, expires_at=None, reason="For good")


def test_a_withdrawal_in_a_closed_case_is_not_approved_but_rejected(own: Decision, case: Case, ana: Person):
    proposal = withdraw(actor=person_with(Role.ANALYST, "aldo"), decision=own, reason="Was a test")
    assert proposal is not None
    close(case)
    with pytest.raises(CannotDecide, match="closed"):
        approve(actor=ana, proposal=proposal)
    assert Proposal.objects.get().is_waiting
    reject(actor=ana, proposal=proposal, reason="Nobody asks any more")


def test_what_counts_everywhere_is_withdrawn_though_its_case_is_closed(case: Case, rui: Person):
    merge_and_settle(case, row("", NAME))
    decision = decide_on(rui, case, NAME)
    close(case)
    assert withdraw(actor=rui, decision=decision, reason="Was a test") is None


def test_nothing_is_offered_for_what_counts_in_a_closed_case(own: Decision, case: Case, site: Client):
    assert "Withdraw…" in text_of(site.get(f"/decisions/{own.pk}/"))
    close(case)
    said = text_of(site.get(f"/decisions/{own.pk}/"))
    assert "Withdraw…" not in said
    assert "Extend…" not in said


@pytest.mark.parametrize("page", ["withdraw", "extend"])
def test_the_page_says_why_and_leads_to_the_case(own: Decision, case: Case, site: Client, page: str):
    close(case)
    answer = site.get(f"/decisions/{own.pk}/{page}")
    assert "Its case is closed." in text_of(answer)
    assert f"/cases/{case.pk}/state/" in answer.content.decode()
    assert "</textarea>" not in answer.content.decode()


def test_a_proposal_in_a_closed_case_cannot_be_approved(
    own: Decision, case: Case, ana: Person, client: Client
):
    proposal = withdraw(actor=person_with(Role.ANALYST, "aldo"), decision=own, reason="Was a test")
    assert proposal is not None
    close(case)
    client.force_login(ana)
    page = client.get(f"/proposals/{proposal.pk}/").content.decode()
    assert "Its case is closed" in page
    assert "/approve" not in page
