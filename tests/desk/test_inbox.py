from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases.case_actions import assign
from cases.models import Case, CaseValue, Proposal, ReviewDue
from cases.proposal_actions import reject
from cases.state_actions import reopen_by_evidence
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person, Role
from footprint.desk.inbox.order import AT_MOST
from footprint.ledger.record import Actor, change
from hunts.models import Hunt, Run, Source
from hunts.source_actions import change_source, pause_source
from tests.cases.batches.bulk import decided
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.roles import client_of, client_with, person_with


def test_a_case_with_undecided_values_is_there_with_its_count(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"))
    decide_on(rui, case, "a.example")
    page = site.get("/").content.decode()
    assert f'href="/cases/{case.pk}/"' in page
    assert "1 undecided" in page


def test_the_case_that_waits_longest_comes_first(site: Client, rui: Person) -> None:
    young, old = open_case(rui, "a.exe"), open_case(rui, "a.exe")
    for case in (young, old):
        merge_and_settle(case, row(dns="a.example"))
    CaseValue.objects.filter(case=old).update(added_at=timezone.now() - timedelta(days=3))
    page = site.get("/").content.decode().partition("Undecided")[2]
    assert page.index(f"/cases/{old.pk}/") < page.index(f"/cases/{young.pk}/")


def test_what_is_assigned_to_me_comes_before_what_waits_longer(site: Client, rui: Person) -> None:
    mine, old = open_case(rui, "a.exe"), open_case(rui, "a.exe")
    for case in (mine, old):
        merge_and_settle(case, row(dns="a.example"))
    CaseValue.objects.filter(case=old).update(added_at=timezone.now() - timedelta(days=3))
    assign(actor=rui, case=mine, version=mine.version, assignee=rui)
    page = site.get("/")
    html = page.content.decode().partition("<main")[2]
    assert html.index(f"/cases/{mine.pk}/") < html.index(f"/cases/{old.pk}/")
    assert "It is yours. The oldest came" in text_of(page)
    assert "Nobody works on it; you own it." in text_of(page)


def test_a_case_of_mine_with_everything_decided_asks_to_be_closed(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    assign(actor=rui, case=case, version=case.version, assignee=rui)
    page = site.get("/")
    assert "Everything is decided: close it or keep watching." in text_of(page)
    assert f'href="/cases/{case.pk}/state/?to=closed"' in page.content.decode()


def test_a_case_that_came_back_says_by_what(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"))
    Case.objects.filter(pk=case.pk).update(state=Case.State.WATCHING)
    with change(actor=Actor.run(7)) as ledger:
        reopen_by_evidence(ledger, case.pk, undecided=1, by="Run 7")
    assert "Run 7 found 1 new value, undecided." in text_of(site.get("/"))


@pytest.mark.parametrize("state", ["watching", "closed"])
def test_undecided_values_of_a_watching_case_wait_too(site: Client, rui: Person, state: str) -> None:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"))
    Case.objects.filter(pk=case.pk).update(state=state)
    assert ("1 undecided" in text_of(site.get("/"))) == (state == "watching")


def test_a_run_in_trouble_is_there_with_its_reasons(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    hunt = Hunt.objects.create(case=case, source=Source.objects.get(slug="local"), opened_by=rui)
    today = timezone.now().date()
    run = Run.objects.create(
        hunt=hunt,
        slot="first",
        state=Run.State.FAILED,
        first_day=today,
        last_day=today,
        ended_at=timezone.now(),
        reasons=["6 Nov timed out three times."],
    )
    page = site.get("/").content.decode()
    assert "6 Nov timed out three times." in page
    assert f'href="/cases/{case.pk}/runs/{run.pk}/"' in page


def test_a_source_that_paused_itself_is_there_and_told_to_its_owner(site: Client, rui: Person) -> None:
    source = Source.objects.get(slug="local")
    change_source(actor=Actor.command("tests"), source=source, owner=rui)
    pause_source(actor=Actor.run(3), source=source, because="AuthorizationFailed")
    page = site.get("/").content.decode()
    assert "Imported telemetry paused itself" in page
    assert "You own it. AuthorizationFailed" in page
    assert "Nothing needs you" not in page


def test_a_source_that_a_person_paused_is_no_trouble(site: Client, rui: Person) -> None:
    source = Source.objects.get(slug="local")
    pause_source(actor=Actor.person(rui), source=source, because="Moving")
    assert "Nothing needs you" in site.get("/").content.decode()


def test_nothing_to_do_says_so(site: Client) -> None:
    assert "Nothing needs you" in site.get("/").content.decode()


LEFT = {
    Role.LEAD: ["Approvals that wait for you", "Sources in trouble", "Undecided", "Runs in trouble"],
    Role.REVIEWER: ["Approvals that wait for you", "Rejected, back to you", "Undecided"],
    Role.ANALYST: ["Rejected, back to you", "Undecided"],
    Role.READER: [],
    Role.AUDITOR: [],
    Role.ADMINISTRATOR: [],
}


@pytest.mark.parametrize("role", LEFT)
def test_each_role_sees_what_it_can_act_on_in_its_order(rui: Person, role: Role) -> None:
    someone, ana = person_with(role, "someone"), person_with(Role.ANALYST, "ana")
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"), row(dns="b.corp.example"))
    decide_on(ana, case, "a.example")
    pause_source(actor=Actor.run(3), source=Source.objects.get(slug="local"), because="AuthorizationFailed")
    failed_run(case, rui)
    if may(someone, Verb.PROPOSE) and role != Role.LEAD:
        decide_on(someone, case, "b.corp.example", subject="*.corp.example")
        reject(
            actor=person_with(Role.LEAD, "lea"),
            proposal=Proposal.objects.get(proposer=someone),
            reason="Too wide",
        )
    said = client_of(someone).get("/").content.decode()
    titles = re.findall(r"<h2 id=\"group-[a-z_]+\">([^<]+)</h2>", said)
    assert titles == LEFT[role]
    assert ("Your role reads and decides nothing" in said) == (not LEFT[role])


def test_only_so_many_lines_of_a_group_are_shown_and_all_on_a_page_of_their_own(
    site: Client, rui: Person
) -> None:
    for _ in range(AT_MOST + 2):
        merge_and_settle(open_case(rui, "a.exe"), row(dns="a.example"))
    page = site.get("/")
    assert f"Undecided {AT_MOST} of {AT_MOST + 2}" in text_of(page)
    assert page.content.decode().count("data-item") == AT_MOST + 1
    assert 'href="?all=undecided"' in page.content.decode()
    assert site.get("/?all=undecided").content.decode().count("data-item") == AT_MOST + 2


@pytest.mark.parametrize("slug", ["nothing-like-it", "held"])
def test_a_group_that_the_reader_does_not_have_is_not_there(site: Client, slug: str) -> None:
    assert site.get(f"/?all={slug}").status_code == 404


def test_what_came_since_the_last_visit_is_marked(site: Client, rui: Person) -> None:
    merge_and_settle(open_case(rui, "a.exe"), row(dns="a.example"))
    with time_machine.travel(timezone.now() - timedelta(hours=2)):
        assert "is-new" not in site.get("/").content.decode()
    assert site.get("/").content.decode().count("is-new") == 1
    assert site.get("/").content.decode().count("is-new") == 1


def test_a_review_due_is_confirmed_from_the_inbox(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"))
    decide_on(rui, case, "a.example")
    ReviewDue.objects.create(case=case, cause="hash", file=case.files.get(), what="b" * 40)
    assert "a.exe : 1 new hash" in text_of(site.get("/"))
    given = {"file": case.files.get().pk, "upto": ReviewDue.objects.get().pk, "back": "inbox"}
    answer = site.post(f"/cases/{case.pk}/reviews/confirm", given, follow=True)
    assert "1 review is confirmed" in text_of(answer)
    assert "Review due" not in text_of(answer)


@pytest.mark.parametrize("role", [Role.READER, Role.ANALYST])
def test_who_does_not_decide_confirms_nothing(rui: Person, role: Role) -> None:
    case = open_case(rui, "a.exe")
    assert client_with(role).post(f"/cases/{case.pk}/reviews/confirm", {"upto": 1}).status_code == 403


def test_the_reviews_of_a_case_have_a_page(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"))
    assert "Nothing is due for review" in text_of(site.get(f"/cases/{case.pk}/reviews/"))
    decide_on(rui, case, "a.example")
    ReviewDue.objects.create(case=case, cause="port", value="a.example", what="8443")
    assert "a.example new port 8443" in text_of(site.get(f"/cases/{case.pk}/reviews/"))
    assert "1 review due" in text_of(site.get(f"/cases/{case.pk}/"))
    assert "review due" in text_of(site.get(f"/cases/{case.pk}/?verdict=blocked"))


def test_the_previews_show_what_a_line_is_about(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"))
    decision = decide_on(rui, case, "a.example")
    ana = person_with(Role.ANALYST, "ana")
    decide_on(ana, case, "b.example")
    said = text_of(site.get(f"/inbox/cases/{case.pk}"))
    assert "1 undecided, 0 allowed, 1 blocked" in said
    assert "b.example 1 device" in said
    assert "Seen in the beacon report" in text_of(site.get(f"/inbox/decisions/{decision.pk}"))
    proposal = Proposal.objects.get(proposer=ana)
    assert "Ana proposes to block b.example" in text_of(site.get(f"/inbox/proposals/{proposal.pk}"))


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.LEAD])
def test_the_page_asks_as_often_for_one_case_as_for_many(
    rui: Person, role: Role, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_with(role)
    client.get("/")
    for _ in range(8):
        case = open_case(rui, "a.exe")
        merge_and_settle(case, row(dns="a.example"))
        ReviewDue.objects.create(case=case, cause="hash", file=case.files.get(), what="b" * 40)
    with django_assert_max_num_queries(18):
        client.get("/")


def failed_run(case: Case, by: Person) -> Run:
    hunt = Hunt.objects.create(case=case, source=Source.objects.get(slug="local"), opened_by=by)
    today = timezone.now().date()
    return Run.objects.create(
        hunt=hunt, slot="first", state="failed", first_day=today, last_day=today, ended_at=timezone.now()
    )


def test_what_counts_only_in_a_closed_case_is_not_approved_from_the_inbox(rui: Person) -> None:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row("", "a.corp.example"))
    decide_on(rui, case, "a.corp.example", "allowed", "case", subject="*.corp.example")
    lead = client_of(person_with(Role.LEAD, "lea"))
    assert "data-approve" in lead.get("/").content.decode()
    Case.objects.filter(pk=case.pk).update(state="closed")
    page = lead.get("/")
    assert "data-approve" not in page.content.decode()
    assert "cannot be approved until that is reopened" in text_of(page)


def test_what_expires_in_a_closed_case_is_not_offered_to_be_extended(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row("", "a.example"))
    soon = timezone.now() + timedelta(days=1)
    decision = decide_on(rui, case, "a.example", "allowed", "case", expires_at=soon)
    assert f"/decisions/{decision.pk}/extend" in site.get("/").content.decode()
    Case.objects.filter(pk=case.pk).update(state="closed")
    page = site.get("/")
    assert f"/decisions/{decision.pk}/extend" not in page.content.decode()
    assert "cannot be extended until that is reopened" in text_of(page)


def test_a_batch_of_a_closed_case_says_why_it_cannot_be_approved(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row("", "a.example"))
    decided(person_with(Role.ANALYST, "lou"), case)
    assert "reopened" not in text_of(site.get("/"))
    Case.objects.filter(pk=case.pk).update(state="closed")
    assert "they cannot be approved as one until that is reopened" in text_of(site.get("/"))
