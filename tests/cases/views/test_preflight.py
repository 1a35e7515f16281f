from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.models import Case, CaseValue
from cases.watchlists.actions import add_consumer
from cases.watchlists.models import Watchlist
from footprint.accounts.models import Person
from tests.cases.known.lists import known_list
from tests.cases.world import decide_on, merge_and_settle, row


def part(site: Client, case: Case, subject: str, verdict: str = "blocked", **more: str) -> str:
    asked = {"subject": subject, "verdict": verdict, "scope": "everywhere"} | more
    return site.get(f"/cases/{case.pk}/preflight", asked, headers={"HX-Request": "true"}).content.decode()


def test_the_part_warns_of_known_good_and_private_ranges(site: Client, case: Case) -> None:
    known_list("office", ["10.1.0.0/16"])
    said = part(site, case, "10.1.2.3")
    for words in ("Known good", "Office", "10.1.0.0/16", "private (RFC 1918)", "No watchlist carries it"):
        assert words in said


def test_it_names_what_a_block_contradicts_with_who_and_why(site: Client, case: Case, rui: Person) -> None:
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    decide_on(rui, case, "a.example", "allowed", "case", reason="Our vendor")
    said = part(site, case, "a.example")
    assert "Does not undo" in said
    assert "Rui Alves" in said
    assert "Our vendor" in said


def test_a_consumer_that_cannot_say_it_is_named(site: Client, case: Case, rui: Person) -> None:
    add_consumer(
        actor=rui, watchlist=Watchlist.objects.get(slug="all-blocks"), name="fw-lisbon", format="pan-os-ip"
    )
    assert "fw-lisbon" in part(site, case, "a.example")
    assert "fw-lisbon" not in part(site, case, "1.1.1.1")
    assert "fw-lisbon" not in part(site, case, "a.example", scope="case")


def test_a_subject_that_is_refused_says_why(site: Client, case: Case) -> None:
    assert "too wide" in part(site, case, "*.com")
    assert "Type a name" in part(site, case, "")


def test_text_is_taken_letter_by_letter(site: Client, case: Case) -> None:
    assert "two words" not in part(site, case, "two words", kind="text")
    assert "On no known list" in part(site, case, "two words", kind="text")


@pytest.mark.parametrize("changed", [{"verdict": "undecided"}, {"scope": "nowhere"}, {"verdict": ""}])
def test_a_question_that_makes_no_sense_is_refused(site: Client, case: Case, changed: dict[str, str]) -> None:
    asked = {"subject": "a.example", "verdict": "blocked", "scope": "case", **changed}
    assert site.get(f"/cases/{case.pk}/preflight", asked).status_code == 400


def test_without_javascript_it_is_a_page_and_stands_in_the_editor(site: Client, case: Case) -> None:
    known_list("office", ["a.example"])
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    asked = {"subject": "a.example", "verdict": "blocked", "scope": "case"}
    assert "<h1>Before a decision" in site.get(f"/cases/{case.pk}/preflight", asked).content.decode()
    value = CaseValue.objects.get(value="a.example")
    page = site.get(f"/cases/{case.pk}/", {"decide": str(value.pk), "verdict_as": "blocked"}).content.decode()
    assert "<b>Known good</b>: Office" in page


def test_the_editor_that_comes_as_a_part_loads_it_behind_itself(site: Client, case: Case) -> None:
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    value = CaseValue.objects.get(value="a.example")
    address = f"/cases/{case.pk}/values/{value.pk}/row?decide={value.pk}&verdict_as=blocked"
    said = site.get(address, headers={"HX-Request": "true"}).content.decode()
    assert f'hx-get="/cases/{case.pk}/preflight?kind=name&subject=a.example"' in said.replace("&amp;", "&")


def test_a_row_is_marked_by_what_the_lists_know(site: Client, case: Case) -> None:
    known_list("office", ["a.example"])
    known_list("top", ["b.example"], "popular")
    known_list("traps", ["c.example"], "bad")
    merge_and_settle(case, *(row("1.1.1.1", f"{letter}.example") for letter in "abc"))
    page = site.get(f"/cases/{case.pk}/").content.decode()
    assert "known good: Office" in page
    assert "known bad: Traps" in page
    assert "popular" not in page


def test_the_part_costs_the_same_for_many_endpoints(
    site: Client, case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(case, *(row("1.1.1.1", f"n{number}.example") for number in range(50)))
    with django_assert_max_num_queries(10):
        part(site, case, "1.1.1.1")
