from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.models import Case
from footprint.accounts.models import Person
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, row


def decisions_url(case: Case, query: str = "") -> str:
    return f"/cases/{case.pk}/decisions/?{query}"


def test_each_decision_is_told_with_who_and_why(site: Client, case: Case, ana: Person) -> None:
    merge_and_settle(case, row(dns="a.example"))
    decide_on(ana, case, "a.example", reason="Relay network")
    said = text_of(site.get(decisions_url(case)))
    for known in ("blocked", "a.example", "everywhere", "Relay network", "Ana Sousa", "no end", "in force"):
        assert known in said


def test_undo_is_offered_for_my_own_in_force_alone(
    site: Client, case: Case, rui: Person, ana: Person
) -> None:
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"))
    decide_on(rui, case, "a.example")
    decide_on(ana, case, "a.example", "allowed")
    mine = decide_on(rui, case, "b.example")
    page = site.get(decisions_url(case)).content.decode()
    assert re.findall(r'action="/cases/\d+/decisions/(\d+)/undo"', page) == [str(mine.pk)]


def test_undo_from_here_returns_here(site: Client, case: Case, rui: Person) -> None:
    merge_and_settle(case, row(dns="a.example"))
    mine = decide_on(rui, case, "a.example")
    answer = site.post(f"/cases/{case.pk}/decisions/{mine.pk}/undo", {"back_to": "decisions"})
    assert answer.headers["Location"] == f"/cases/{case.pk}/decisions/"


def test_the_pages_together_show_every_decision_once(site: Client, case: Case, rui: Person) -> None:
    merge_and_settle(case, *(row(dns=f"n{number}.example") for number in range(60)))
    for number in range(60):
        decide_on(rui, case, f"n{number}.example")
    first = site.get(decisions_url(case)).content.decode()
    older = re.search(r"\?before=(\d+)", first)
    assert older is not None
    second = site.get(decisions_url(case, f"before={older[1]}")).content.decode()
    shown = re.findall(r'<th scope="row" class="mono"><a [^>]*><bdi>([^<]*)</bdi>', first + second)
    assert len(shown) == len(set(shown)) == 60


def test_no_decision_says_where_they_come_from(site: Client, case: Case) -> None:
    assert "Nobody decided here yet" in text_of(site.get(decisions_url(case)))


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "9" * 40])
def test_a_made_up_page_is_refused(site: Client, case: Case, before: str) -> None:
    assert site.get(decisions_url(case, f"before={before}")).status_code == 400


def test_the_page_asks_as_often_for_one_decision_as_for_many(
    site: Client, case: Case, rui: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(case, *(row(dns=f"n{number}.example") for number in range(20)))
    for number in range(20):
        decide_on(rui, case, f"n{number}.example")
    with django_assert_max_num_queries(12):
        site.get(decisions_url(case))
