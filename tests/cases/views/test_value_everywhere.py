"""One value across all cases."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils.http import urlencode
from pytest_django import DjangoAssertNumQueries

from cases import everywhere
from cases.models import Case
from cases.views import values
from footprint.accounts.models import Person
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, open_case, row, value_of

HOSTILE = ["<img src=x onerror=alert(1)>", "evil\u202egnp.example/", "a\"b'c&d/e", "x" * 260 + "/"]


def address_of(value: str) -> str:
    return f"/values/?{urlencode({'value': value})}"


def test_it_tells_in_how_many_cases_it_was_seen(
    site: Client, case: Case, other_case: Case, rui: Person
) -> None:
    open_case(rui, "c.exe")
    merge_and_settle(case, row("203.0.113.1", "a.example", events=7, days_ago=3))
    merge_and_settle(other_case, row("203.0.113.2", "a.example", events=9))
    said = text_of(site.get(address_of("a.example")))
    assert "Seen in 2 cases of 3." in said
    assert "203.0.113.1" in said
    assert "203.0.113.2" in said
    assert "Seen on 2 of 30 days" in site.get(address_of("a.example")).content.decode()


def test_each_case_has_its_verdict_and_leads_to_its_page(
    site: Client, case: Case, other_case: Case, rui: Person
) -> None:
    merge_and_settle(case, row(dns="a.example"))
    merge_and_settle(other_case, row(dns="a.example"))
    decide_on(rui, case, "a.example", "allowed", scope="case", reason="Vendor says so")
    page = site.get(address_of("a.example"))
    assert (
        f'href="/cases/{other_case.pk}/values/{value_of(other_case, "a.example").pk}/"'
        in page.content.decode()
    )
    said = text_of(page)
    assert "Vendor says so" in said
    assert "allow of a.example, in this case" in said


def test_an_address_that_a_case_has_only_beside_names_is_told_with_that_case(
    site: Client, case: Case, other_case: Case
) -> None:
    merge_and_settle(case, row("203.0.113.1"))
    merge_and_settle(other_case, row("203.0.113.1", "a.example"))
    page = site.get(address_of("203.0.113.1"))
    assert "Seen in 2 cases of 2." in text_of(page)
    assert "Only beside names in 1 case" in text_of(page)
    assert f'<li><a href="/cases/{other_case.pk}/">' in page.content.decode()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("hxxps://A[.]example/path?x=1", "a.example"),
        ("A.EXAMPLE.", "a.example"),
        ("203.0.113[.]7", "203.0.113.7"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_what_people_paste_leads_to_what_is_kept(site: Client, case: Case, typed: str, kept: str) -> None:
    answer = site.get(address_of(typed))
    assert answer.status_code == 302
    assert answer.headers["Location"] == address_of(kept)


@pytest.mark.parametrize("value", ["nobody.example", "203.0.113.200", "2001:db8::77"])
def test_a_value_that_no_case_knows_says_so(site: Client, case: Case, rui: Person, value: str) -> None:
    answer = site.get(address_of(value))
    assert answer.status_code == 404
    assert "No case knows it: it was never seen in any answer that came back." in text_of(answer)


def test_a_decision_on_a_value_that_no_case_knows_is_told(site: Client, case: Case, rui: Person) -> None:
    merge_and_settle(case, row("203.0.113.1", "a.example"))
    decide_on(rui, case, "a.example", reason="Relay network")
    assert "No decision covers it" in text_of(site.get(address_of("b.example")))
    assert "Relay network" in text_of(site.get(address_of("a.example")))


def test_an_address_that_only_stands_beside_names_is_known(site: Client, case: Case) -> None:
    merge_and_settle(case, row("203.0.113.1", "a.example"))
    answer = site.get(address_of("203.0.113.1"))
    assert answer.status_code == 200
    said = text_of(answer)
    assert "Seen in 1 case of 1." in said
    assert "Names on it 1" in said


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_have_a_page_and_run_nothing(site: Client, case: Case, value: str) -> None:
    merge_and_settle(case, row(dns=value))
    kept = case.values.get().value
    page = site.get(address_of(kept))
    assert page.status_code == 200
    # A copy is the value as it is.
    html = re.sub(r'data-copy="[^"]*"', "", page.content.decode())
    assert "<img src=x" not in html
    assert "\u202e" not in html


def test_both_forms_of_an_idn_are_shown(site: Client, case: Case) -> None:
    merge_and_settle(case, row(dns="xn--pple-43d.example"))
    said = text_of(site.get(address_of("xn--pple-43d.example")))
    assert "xn--pple-43d.example" in said
    assert "shown: \u0430pple.example" in said


@pytest.mark.parametrize("typed", ["203.0.113.0/24", "*.example.com", "-", "\x00", "\ud800"])
def test_what_is_no_one_value_says_so_and_keeps_what_was_typed(site: Client, case: Case, typed: str) -> None:
    answer = site.get("/values/", {"value": typed.encode("utf-8", "replace").decode()})
    assert answer.status_code == 404
    assert "no one name or address" in text_of(answer) or "No case knows it" in text_of(answer)


def test_nothing_asked_is_a_question(site: Client, case: Case) -> None:
    assert "Which name or address?" in text_of(site.get("/values/"))


def test_a_reader_may_look(reading: Client, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    assert reading.get(address_of("a.example")).status_code == 200


def test_the_page_asks_as_often_for_many_cases_as_for_one(
    site: Client, case: Case, rui: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(6):
        merge_and_settle(open_case(rui, "a.exe"), *(row(f"203.0.113.{n}", "a.example") for n in range(10)))
    site.get(address_of("a.example"))
    with django_assert_max_num_queries(19):
        site.get(address_of("a.example"))


def test_a_list_that_was_cut_says_at_least(
    site: Client, case: Case, other_case: Case, rui: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (case, other_case):
        merge_and_settle(each, row(dns="a.example"))
        decide_on(rui, each, "a.example", scope="case")
    monkeypatch.setattr(everywhere, "CASES_AT_MOST", 1)
    monkeypatch.setattr(values, "DECISIONS_AT_MOST", 1)
    said = text_of(site.get(address_of("a.example")))
    assert "Seen in at least" in said
    assert "Cases 1+" in said
    assert "Decided before 1+" in said
