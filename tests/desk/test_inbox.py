from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases.case_actions import assign
from cases.models import Case, CaseValue
from cases.state_actions import reopen_by_evidence
from footprint.accounts.models import Person
from footprint.ledger.record import Actor, change
from hunts.models import Hunt, Run, Source
from hunts.source_actions import change_source, pause_source
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, open_case, row


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
    assert f"Nobody works on it; {rui} owns it." in text_of(page)


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


def test_the_page_asks_as_often_for_one_case_as_for_many(
    site: Client, rui: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(8):
        merge_and_settle(open_case(rui, "a.exe"), row(dns="a.example"))
    with django_assert_max_num_queries(12):
        site.get("/")
