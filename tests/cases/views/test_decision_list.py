from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases.models import Case, Decision
from footprint.accounts.models import Person
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, row


def made(rui: Person, subject: str, kind: str = "name", **changes: Any) -> Decision:
    """A decision as it stands in the table, made by nobody's click."""
    is_network = kind in {"address", "network"}
    given: dict[str, Any] = {
        "verdict": "blocked",
        "scope": "everywhere",
        "state": "in force",
        "reason": "On the list of the hoster",
        "proposer": rui,
        "made_at": timezone.now(),
    }
    return Decision.objects.create(
        subject=subject, subject_kind=kind, network=subject if is_network else None, **(given | changes)
    )


def shown(site: Client, query: str = "") -> list[str]:
    """The subjects on the page, top to bottom."""
    page = site.get(f"/decisions/?{query}").content.decode()
    return [unescape(title) for title in re.findall(r'class="val mono" title="([^"]*)"', page)]


def test_a_row_says_what_where_who_why_and_until(site: Client, case: Case, ana: Person) -> None:
    merge_and_settle(case, row(dns="a.example"))
    decide_on(ana, case, "a.example", "allowed", "case", reason="Update server")
    said = text_of(site.get("/decisions/"))
    for known in (
        "allowed",
        "a.example",
        f"case {case.pk}",
        "Update server",
        "Ana Sousa",
        "no end",
        "in force",
    ):
        assert known in said


def test_the_newest_comes_first(site: Client, rui: Person) -> None:
    made(rui, "a.example")
    made(rui, "b.example")
    assert shown(site) == ["b.example", "a.example"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=oldest", ["b.example", "c.example", "a.example"]),
        ("sort=subject", ["a.example", "b.example", "c.example"]),
        ("sort=ends", ["c.example", "b.example"]),
    ],
)
def test_the_order_can_be_chosen(site: Client, rui: Person, query: str, expected: list[str]) -> None:
    now = timezone.now()
    made(rui, "b.example", expires_at=now + timedelta(days=9))
    made(rui, "c.example", expires_at=now + timedelta(days=3))
    made(rui, "a.example")
    assert shown(site, query) == expected


def test_each_state_has_its_page(site: Client, rui: Person) -> None:
    now = timezone.now()
    made(rui, "force.example")
    made(rui, "soon.example", expires_at=now + timedelta(days=29))
    made(rui, "later.example", expires_at=now + timedelta(days=31))
    made(rui, "waits.example", state="proposed")
    made(rui, "gone.example", state="withdrawn", ended_at=now)
    assert shown(site) == ["later.example", "soon.example", "force.example"]
    assert shown(site, "state=waiting") == ["waits.example"]
    assert shown(site, "state=expiring") == ["soon.example"]
    assert shown(site, "state=ended") == ["gone.example"]
    assert "In force 3 Waiting 1 Expiring 1 Ended 1" in text_of(site.get("/decisions/"))


def test_what_is_past_its_expiry_is_in_force_no_more(site: Client, rui: Person) -> None:
    made(rui, "past.example", expires_at=timezone.now() - timedelta(minutes=1))
    assert shown(site) == []


def test_what_ended_last_comes_first(site: Client, rui: Person) -> None:
    now = timezone.now()
    made(rui, "a.example", state="withdrawn", ended_at=now)
    made(rui, "b.example", state="superseded", ended_at=now - timedelta(hours=1))
    assert shown(site, "state=ended") == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("verdict=allowed", "allowed.example"),
        ("scope=file", "file.example"),
        ("kind=below", "below.example"),
    ],
)
def test_the_address_filters(site: Client, rui: Person, query: str, expected: str) -> None:
    made(rui, "plain.example")
    made(rui, "allowed.example", verdict="allowed")
    made(rui, "file.example", scope="file", file_kind="name", file_key="a.exe")
    made(rui, "below.example", "below")
    assert shown(site, query) == [expected]


def test_by_whom(site: Client, rui: Person, ana: Person) -> None:
    made(rui, "a.example")
    made(ana, "b.example")
    assert shown(site, f"by={ana.pk}") == ["b.example"]


def test_of_one_case(site: Client, rui: Person, case: Case, other_case: Case) -> None:
    made(rui, "a.example", made_in=case)
    made(rui, "b.example", made_in=other_case)
    assert shown(site, f"case={case.pk}") == ["a.example"]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("198.51.100.7", {"198.51.100.7", "198.51.100.0/24"}),
        ("198.51.100.9", {"198.51.100.0/24"}),
        ("198.51.100.0/28", {"198.51.100.0/24"}),
        ("198.51", {"198.51.100.7", "198.51.100.0/24"}),
        ("login.contoso.example", {"contoso.example", "login.contoso.example"}),
        ("deep.login.contoso.example", {"contoso.example"}),
        ("hxxps://login[.]contoso[.]example/a", {"contoso.example", "login.contoso.example"}),
        ("CONTOSO", {"contoso.example", "login.contoso.example"}),
        ("http://[::bad/", {"http://[::bad/"}),
        ("%", set()),
        ("nowhere", set()),
    ],
)
def test_a_search_finds_what_contains_it_and_what_covers_it(
    site: Client, rui: Person, search: str, expected: set[str]
) -> None:
    made(rui, "198.51.100.7", "address")
    made(rui, "198.51.100.0/24", "network")
    made(rui, "203.0.113.0/24", "network")
    made(rui, "contoso.example", "below")
    made(rui, "login.contoso.example")
    made(rui, "http://[::bad/", "text")
    answer = site.get("/decisions/", {"q": search})
    found = re.findall(r'class="val mono" title="([^"]*)"', answer.content.decode())
    assert set(found) == expected


def test_a_wider_subject_that_was_found_says_so(site: Client, rui: Person) -> None:
    made(rui, "198.51.100.0/24", "network")
    assert "covers it" in text_of(site.get("/decisions/?q=198.51.100.7"))
    assert "covers it" not in text_of(site.get("/decisions/?q=198.51"))


@pytest.mark.parametrize(
    "query", ["", "sort=oldest", "sort=subject", "sort=ends", "state=ended", "verdict=blocked"]
)
def test_the_pages_together_show_every_decision_once(site: Client, rui: Person, query: str) -> None:
    now = timezone.now()
    for number in range(60):
        ends: dict[str, Any] = {"state": "withdrawn", "ended_at": now} if "ended" in query else {}
        made(rui, f"n{number}.example", expires_at=now + timedelta(days=1 + number % 3), **ends)
    first = site.get(f"/decisions/?{query}").content.decode()
    after = re.search(r'href="/decisions/\?([^"]*after=\d+[^"]*)" rel="next"', first)
    assert after is not None
    subjects = shown(site, query) + shown(site, after[1].replace("&amp;", "&"))
    assert len(subjects) == len(set(subjects)) == 60


@pytest.mark.parametrize(
    "query",
    [
        "state=gone",
        "verdict=undecided",
        "scope=x",
        "kind=x",
        "by=x",
        "case=-1",
        "sort=x",
        "after=x",
        "after=1&sort=ends",
    ],
)
def test_what_nobody_can_mean_is_refused(site: Client, query: str) -> None:
    assert site.get(f"/decisions/?{query}").status_code == 400


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "Nothing is decided"),
        ("q=x", "No decision matches"),
        ("state=waiting", "Nothing waits"),
        ("state=expiring", "Nothing ends in the next 30 days"),
        ("state=ended", "No decision has ended yet"),
        ("after=9", "The list ends before this page"),
    ],
)
def test_an_empty_page_says_why(site: Client, query: str, said: str) -> None:
    assert said in text_of(site.get(f"/decisions/?{query}"))


def test_html_and_marks_that_turn_text_are_shown_as_they_are(site: Client, rui: Person) -> None:
    made(rui, "<img src=x>", "text", reason="<script>x</script> a\u202eb")
    page = site.get("/decisions/?q=<i>").content.decode() + site.get("/decisions/").content.decode()
    assert "<img" not in page
    assert "<script>x" not in page
    assert "<i>" not in page
    assert "\\u202e" in page


def test_a_reader_sees_the_page(reading: Client) -> None:
    assert reading.get("/decisions/").status_code == 200


def test_the_page_asks_as_often_for_one_decision_as_for_many(
    site: Client, rui: Person, case: Case, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        made(rui, f"n{number}.example", scope="case", case=case, made_in=case)
    site.get("/decisions/")
    with django_assert_num_queries(9):
        site.get("/decisions/")
