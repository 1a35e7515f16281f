"""The pages of proposals, of withdrawing and of extending."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases import settling
from cases.actions import withdraw
from cases.models import Case, Decision, Proposal
from cases.verdicts import preview
from footprint.accounts.models import Person, Role
from tests.cases.views.pages import HTMX, text_of
from tests.cases.world import decide_on, merge_and_settle, row, value_of, verdict_of
from tests.roles import client_of, client_with, person_with


@pytest.fixture(autouse=True)
def seen(case: Case) -> None:
    merge_and_settle(case, row("203.0.113.1", "a.corp.example"), row("203.0.113.2", "b.corp.example"))


@pytest.fixture
def lea(db: None) -> Person:
    return person_with(Role.LEAD, "lea")


@pytest.fixture
def leading(lea: Person) -> Client:
    return client_of(lea)


@pytest.fixture
def proposal(case: Case, rui: Person) -> Proposal:
    decision = decide_on(rui, case, "a.corp.example", subject="*.corp.example")
    return Proposal.objects.get(decision=decision)


def url(proposal: Proposal, step: str = "") -> str:
    return f"/proposals/{proposal.pk}/{step}"


def test_a_proposal_says_who_what_and_why(leading: Client, proposal: Proposal) -> None:
    said = text_of(leading.get(url(proposal)))
    assert "Rui Alves proposes to block *.corp.example everywhere" in said
    assert "Seen in the beacon report" in said
    assert "It is wide: corp.example and everything below it." in said
    assert "Would change 2 endpoints of 2 values in 1 case: 2 undecided → blocked." in said


def test_it_says_what_is_being_settled_and_offers_no_approval_of_old_numbers(
    leading: Client, proposal: Proposal, case: Case, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "AT_ONCE", 0)
    decide_on(ana, case, "a.corp.example", "allowed", scope="case")
    page = leading.get(url(proposal))
    assert "1 endpoint that it covers is being settled after another decision." in text_of(page)
    assert "1 undecided → blocked" in text_of(page)
    monkeypatch.setattr(preview, "MOST_ANEW", 0)
    page = leading.get(url(proposal))
    assert "it can be approved once that is done" in text_of(page)
    assert "/approve" not in page.content.decode()


def test_the_inbox_shows_it_to_those_it_waits_for(leading: Client, site: Client, proposal: Proposal) -> None:
    said = text_of(leading.get("/"))
    assert "Approvals that wait for you" in said
    assert "Rui Alves: block *.corp.example everywhere" in said
    assert "2 endpoints of 2 values in 1 case would change." in said
    assert "Approvals that wait" not in text_of(site.get("/"))


def test_approving_from_the_inbox(leading: Client, proposal: Proposal, case: Case) -> None:
    answer = leading.post(url(proposal, "approve"), {"seen": proposal.digest}, follow=True)
    assert "Approved: block of *.corp.example, everywhere." in text_of(answer)
    assert verdict_of(case, "b.corp.example") == "blocked"


def test_one_who_proposed_finds_no_button_and_gets_nowhere_by_address(
    lea: Person, leading: Client, case: Case
) -> None:
    proposal = Proposal.objects.get(decision=decide_on(lea, case, "a.corp.example", subject="*.corp.example"))
    page = leading.get(url(proposal)).content.decode()
    assert "/approve" not in page
    assert "Take it back" in page
    answer = leading.post(url(proposal, "approve"), {"seen": proposal.digest})
    assert answer.status_code == 409
    assert "You proposed this yourself" in text_of(answer)
    assert not Decision.objects.in_force().exists()


def test_a_reviewer_gets_nowhere_with_what_takes_a_lead(ana: Person, proposal: Proposal) -> None:
    answer = client_of(ana).post(url(proposal, "approve"), {"seen": proposal.digest})
    assert answer.status_code == 409
    assert "takes a lead" in text_of(answer)


@pytest.mark.parametrize("step", ["approve", "reject"])
def test_an_analyst_may_not_end_it(proposal: Proposal, step: str) -> None:
    answer = client_with(Role.ANALYST).post(url(proposal, step), {"reason": "No"})
    assert answer.status_code == 403
    assert Proposal.objects.waiting().count() == 1


def test_what_moved_is_shown_before_it_can_be_approved(
    leading: Client, proposal: Proposal, case: Case
) -> None:
    merge_and_settle(case, row("203.0.113.3", "c.corp.example"))
    answer = leading.post(url(proposal, "approve"), {"seen": proposal.digest})
    said = text_of(answer)
    assert answer.status_code == 409
    assert "has moved since it was proposed" in said
    assert "Then: 2 undecided → blocked of 2 values in 1 case" in said
    assert "Would change 3 endpoints" in said
    seen = answer.content.decode().partition('name="seen" value="')[2][:64]
    leading.post(url(proposal, "approve"), {"seen": seen})
    assert verdict_of(case, "c.corp.example") == "blocked"


def test_rejecting_without_a_reason_is_refused_at_the_field(leading: Client, proposal: Proposal) -> None:
    answer = leading.post(url(proposal, "reject"), {"reason": " "})
    assert answer.status_code == 409
    assert "Say why" in text_of(answer)
    assert Proposal.objects.waiting().exists()


def test_rejecting_with_a_reason_tells_it(leading: Client, proposal: Proposal, site: Client) -> None:
    leading.post(url(proposal, "reject"), {"reason": "Shared hosting"})
    said = text_of(site.get(url(proposal)))
    assert "Rejected by Lea" in said
    assert "Shared hosting" in said


def test_the_proposer_takes_it_back(site: Client, proposal: Proposal) -> None:
    site.post(url(proposal, "take-back"))
    proposal.refresh_from_db()
    assert proposal.state == "taken back"


def test_withdrawing_shows_what_changes_first(site: Client, case: Case, ana: Person) -> None:
    decision = decide_on(ana, case, "a.corp.example")
    address = f"/decisions/{decision.pk}/withdraw"
    page = site.get(address)
    assert "Would change 1 endpoint of 1 value in 1 case: 1 blocked → undecided." in text_of(page)
    seen = page.content.decode().partition('name="seen" value="')[2][:64]
    site.post(address, {"reason": "It was a test", "seen": seen})
    assert verdict_of(case, "a.corp.example") == "undecided"


def test_withdrawing_without_a_reason_is_refused_at_the_field(site: Client, case: Case, ana: Person) -> None:
    decision = decide_on(ana, case, "a.corp.example")
    answer = site.post(f"/decisions/{decision.pk}/withdraw", {"reason": ""})
    assert answer.status_code == 422
    assert "Say why" in text_of(answer)


def test_withdrawing_what_has_ended_says_so(site: Client, case: Case, rui: Person) -> None:
    decision = decide_on(rui, case, "a.corp.example")
    withdraw(actor=rui, decision=decision, reason="It was a test")
    assert "It is no longer in force." in text_of(site.get(f"/decisions/{decision.pk}/withdraw"))


def test_a_withdrawal_by_an_analyst_is_a_proposal(case: Case, rui: Person, leading: Client) -> None:
    decision = decide_on(rui, case, "a.corp.example")
    client_with(Role.ANALYST).post(f"/decisions/{decision.pk}/withdraw", {"reason": "Looks harmless"})
    said = text_of(leading.get(url(Proposal.objects.waiting().get())))
    assert "proposes to withdraw the block of a.corp.example everywhere" in said


def test_extending_sets_a_later_end(site: Client, case: Case, rui: Person) -> None:
    decision = decide_on(rui, case, "a.corp.example", expires_at=timezone.now() + timedelta(days=2))
    site.post(f"/decisions/{decision.pk}/extend", {"until": "30", "reason": "Still seen"})
    longer = Decision.objects.in_force().get()
    assert longer.supersedes == decision
    assert (longer.expires_at or timezone.now()) > timezone.now() + timedelta(days=29)


def test_extending_into_the_past_is_refused_at_the_field(site: Client, case: Case, rui: Person) -> None:
    decision = decide_on(rui, case, "a.corp.example", expires_at=timezone.now() + timedelta(days=2))
    answer = site.post(
        f"/decisions/{decision.pk}/extend", {"until_date": "2020-01-01", "reason": "My reason"}
    )
    assert answer.status_code == 422
    assert "This day is over" in text_of(answer)
    assert "My reason" in answer.content.decode()


def test_the_inbox_warns_before_a_decision_expires(
    site: Client, case: Case, rui: Person, ana: Person, leading: Client
) -> None:
    decide_on(rui, case, "a.corp.example", expires_at=timezone.now() + timedelta(days=6, hours=1))
    decide_on(ana, case, "b.corp.example", expires_at=timezone.now() + timedelta(days=60))
    said = text_of(site.get("/"))
    assert "Block of a.corp.example everywhere expires in 6 days" in said
    assert "You made it." in said
    assert "Expires soon 1" in said
    assert "Expires soon" not in text_of(leading.get("/"))


def test_the_decision_leads_to_what_can_be_done(site: Client, case: Case, proposal: Proposal) -> None:
    page = site.get(f"/decisions/{proposal.decision_id}/").content.decode()
    assert url(proposal) in page
    in_force = decide_on(proposal.proposer, case, "b.corp.example")
    assert f"/decisions/{in_force.pk}/withdraw" in site.get(f"/decisions/{in_force.pk}/").content.decode()


def test_undoing_what_needs_two_leads_to_withdrawing_it(
    site: Client, leading: Client, proposal: Proposal, case: Case
) -> None:
    leading.post(url(proposal, "approve"), {"seen": proposal.digest})
    answer = site.post(f"/cases/{case.pk}/decisions/{proposal.decision_id}/undo", headers=HTMX)
    assert answer.status_code == 409
    assert "needs a second person" in text_of(answer)
    assert f"/decisions/{proposal.decision_id}/withdraw" in answer.content.decode()


def test_the_page_asks_as_often_for_one_endpoint_as_for_many(
    leading: Client, proposal: Proposal, case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(case, *(row(f"203.0.113.{n}", f"n{n}.corp.example") for n in range(10, 60)))
    with django_assert_max_num_queries(36):
        leading.get(url(proposal))


@pytest.mark.parametrize("step", ["withdraw", "extend"])
def test_the_pages_of_a_decision_ask_no_more_for_many_endpoints(
    site: Client, case: Case, ana: Person, step: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(case, *(row(f"203.0.113.{n}", "a.corp.example") for n in range(10, 60)))
    decision = decide_on(ana, case, "a.corp.example")
    with django_assert_max_num_queries(16):
        site.get(f"/decisions/{decision.pk}/{step}")


def test_a_look_asks_no_more_for_many_endpoints(
    site: Client, case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(case, *(row(f"203.0.113.{n}", f"n{n}.corp.example") for n in range(10, 60)))
    value = value_of(case, "a.corp.example")
    address = f"/cases/{case.pk}/values/{value.pk}/look?verdict=blocked&scope=everywhere&own=*.corp.example"
    with django_assert_max_num_queries(20):
        assert "52 endpoints" in text_of(site.get(address, headers=HTMX))


@pytest.mark.parametrize("is_kept", [True, False])
def test_what_stands_behind_the_numbers_is_compared_only_where_it_was_kept(
    leading: Client, proposal: Proposal, is_kept: bool
) -> None:
    judged = dict(proposal.judged_on)
    if not is_kept:
        del judged["standing"]
    Proposal.objects.filter(pk=proposal.pk).update(judged_on=judged, digest="another")
    said = text_of(leading.get(url(proposal)))
    assert ("other endpoints or other decisions stand behind them" in said) is is_kept
    assert ("may have moved since it was proposed" in said) is not is_kept
