from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases import governed
from cases.models import Case, Decision
from cases.watchlists.models import Watchlist
from cases.watchlists.publishing import publish
from footprint.accounts.models import Person, Role
from footprint.ledger.record import Actor
from tests.cases.views.pages import text_of
from tests.cases.views.test_decision_list import made
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.roles import person_with


@pytest.fixture
def case(rui: Person) -> Case:
    return open_case(rui, "a.exe")


def said_of(site: Client, decision: Decision) -> str:
    return text_of(site.get(f"/decisions/{decision.pk}/"))


def test_the_page_tells_who_why_where_and_what_it_covers(site: Client, rui: Person, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    decision = decide_on(rui, case, "a.example", "allowed", "case", reason="Update server")
    said = said_of(site, decision)
    assert "exactly a.example, nothing below it" in said
    assert "Update server" in said
    assert f"Made by {rui}" in said
    assert f"Made in case {case.pk}" in said
    assert "Until no end" in said


def test_it_counts_what_it_governs_by_case(site: Client, rui: Person, case: Case) -> None:
    other = open_case(rui, "a.exe")
    merge_and_settle(case, row("203.0.113.7", "a.example"), row("203.0.113.8", "a.example"))
    merge_and_settle(other, row("203.0.113.7", "a.example"))
    said = said_of(site, decide_on(rui, case, "a.example"))
    assert "Governs now 3 endpoints in 2 cases" in said
    assert f"{case.title} 1 value, 2 endpoints" in said


def test_what_another_decision_governs_is_not_counted(site: Client, rui: Person, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    wide = decide_on(rui, case, "a.example", "blocked", "everywhere")
    decide_on(rui, case, "a.example", "allowed", "case")
    assert "Nothing that was observed so far" in said_of(site, wide)


def test_a_decision_on_a_network_counts_addresses_once(site: Client, rui: Person, case: Case) -> None:
    network = made(rui, "203.0.113.0/24", "network")
    # An address where a name belongs, and another as the address: both are in the network.
    merge_and_settle(case, row("203.0.113.7", "203.0.113.8"), row("203.0.113.9"), row("198.51.100.7"))
    assert "Governs now 2 endpoints in 1 case" in said_of(site, network)


def test_a_count_that_was_cut_says_at_least(
    site: Client, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(governed, "LOOKED_AT_MOST", 2)
    merge_and_settle(case, *(row(f"203.0.113.{number}", "a.example") for number in range(5)))
    assert "Governs now at least 2 endpoints in at least 1 case" in said_of(
        site, decide_on(rui, case, "a.example")
    )


def test_its_history_tells_what_superseded_what(site: Client, rui: Person, case: Case) -> None:
    ana = person_with(Role.REVIEWER, "ana")
    merge_and_settle(case, row(dns="a.example"))
    first = decide_on(rui, case, "a.example", "blocked", reason="Beacon")
    second = decide_on(ana, case, "a.example", "allowed", reason="Ours")
    said = said_of(site, second)
    assert "History of this subject 2" in said
    assert f"superseded {first.pk}" in said
    assert f"superseded by {ana}" in said_of(site, first)


def test_what_lies_around_the_subject_is_named(site: Client, rui: Person) -> None:
    made(rui, "contoso.example", "below", verdict="allowed")
    exact = made(rui, "login.contoso.example")
    wide = made(rui, "203.0.0.0/16", "network")
    near = made(rui, "203.0.113.0/24", "network")
    assert "Covered too by 1 allowed *.contoso.example everywhere" in said_of(site, exact)
    assert "Covered too by 1 blocked 203.0.0.0/16 everywhere" in said_of(site, near)
    assert "Covered too by" not in said_of(site, wide)


def test_it_says_on_which_watchlists_it_is(site: Client, rui: Person, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    decision = decide_on(rui, case, "a.example")
    assert "All blocks waits for the next version" in said_of(site, decision)
    publish(actor=Actor.person(rui), watchlist=Watchlist.objects.get(slug="all-blocks"), why="Now")
    assert "All blocks published since version 1" in said_of(site, decision)


def test_a_narrow_decision_is_on_no_list(site: Client, rui: Person) -> None:
    decision = made(rui, "a.example", scope="file", file_kind="name", file_key="a.exe")
    assert "No watchlist takes it." in said_of(site, decision)


def test_its_entries_lead_to_the_ledger(site: Client, rui: Person, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    said = said_of(site, decide_on(rui, case, "a.example"))
    assert "In the ledger" in said
    assert "decided: block of a.example, everywhere" in said


def test_one_that_is_over_governs_nothing(site: Client, rui: Person) -> None:
    gone = made(rui, "a.example", state="withdrawn", ended_at=timezone.now(), ended_by=rui)
    said = said_of(site, gone)
    assert "Governs now" not in said
    assert "Ended withdrawn" in said


def test_without_a_case_it_says_so(site: Client, rui: Person) -> None:
    assert "Made in no case" in said_of(site, made(rui, "a.example"))


def test_an_idn_is_shown_in_both_forms(site: Client, rui: Person) -> None:
    assert "shown to people as bücher.example" in said_of(site, made(rui, "xn--bcher-kva.example"))


def test_no_such_decision(site: Client) -> None:
    assert site.get("/decisions/999/").status_code == 404


def test_the_tab_of_a_case_leads_there(site: Client, rui: Person, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    decision = decide_on(rui, case, "a.example")
    assert f'href="/decisions/{decision.pk}/"' in site.get(f"/cases/{case.pk}/decisions/").content.decode()


def test_the_page_costs_the_same_for_many_endpoints(
    site: Client, rui: Person, case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(case, *(row(f"203.0.113.{number}", "a.example") for number in range(40)))
    decision = decide_on(rui, case, "a.example")
    with django_assert_max_num_queries(20):
        site.get(f"/decisions/{decision.pk}/")
