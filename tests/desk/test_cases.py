from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases.models import Case, CaseFile
from footprint.accounts.models import Person, Role
from hunts.models import Hunt, Run, Source
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.roles import client_with, person_with


def cases_on(page: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'row-link" href="/cases/(\d+)/"', page)]


def test_a_case_shows_files_owner_counts_and_how_its_last_run_ended(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe", "b.exe", "c.exe", "d.exe", "e.exe")
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"), row(dns="c.example"))
    decide_on(rui, case, "a.example")
    hunt = Hunt.objects.create(case=case, source=Source.objects.get(slug="local"), opened_by=rui)
    for state in ("complete", "partial"):
        today = timezone.now().date()
        Run.objects.create(hunt=hunt, slot=state, state=state, first_day=today, last_day=today)
    said = text_of(site.get("/cases/"))
    assert "a.exe b.exe c.exe +2" in said
    assert f"nobody; {rui} owns it 2 3 partial" in said


def test_the_youngest_case_comes_first(site: Client, rui: Person) -> None:
    one, two = open_case(rui, "a.exe"), open_case(rui, "a.exe")
    assert cases_on(site.get("/cases/").content.decode()) == [two.pk, one.pk]


def test_the_pages_together_show_every_case_once(site: Client, rui: Person) -> None:
    made = Case.objects.bulk_create(Case(title=f"case {number}", owner=rui) for number in range(60))
    page = site.get("/cases/").content.decode()
    older = re.search(r'href="(/cases/\?before=\d+)" rel="next"', page)
    assert older is not None
    rest = site.get(older[1]).content.decode()
    assert cases_on(page) + cases_on(rest) == [case.pk for case in reversed(made)]
    assert "50 of 60 shown" in page


def test_my_cases_alone(site: Client, rui: Person) -> None:
    mine = open_case(rui, "a.exe")
    open_case(person_with(Role.ANALYST), "a.exe")
    assert cases_on(site.get("/cases/?whose=mine").content.decode()) == [mine.pk]


def test_closed_cases_stand_apart(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    Case.objects.update(state=Case.State.CLOSED)
    assert cases_on(site.get("/cases/").content.decode()) == []
    assert cases_on(site.get("/cases/?state=closed").content.decode()) == [case.pk]


def test_a_case_is_found_by_a_part_of_its_title_or_of_a_file(site: Client, rui: Person) -> None:
    by_file, by_title = open_case(rui, "svchost.exe"), open_case(rui, "a.exe")
    Case.objects.filter(pk=by_title.pk).update(title="About SVCHOST")
    open_case(rui, "b.exe")
    page = site.get("/cases/?q=svchost")
    assert cases_on(page.content.decode()) == [by_title.pk, by_file.pk]
    assert "2 cases match" in text_of(page)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "Open the first one"),
        ("q=x", "No case matches"),
        ("tag=x", "No case matches"),
        ("severity=high", "No case matches"),
        ("whose=mine", "You own no"),
        ("whose=assigned", "Nothing is assigned to you"),
        ("state=closed", "No case is closed"),
        ("state=watching", "No case is watching"),
    ],
)
def test_an_empty_list_says_why(site: Client, query: str, said: str) -> None:
    assert said in text_of(site.get(f"/cases/?{query}"))


@pytest.mark.parametrize("state", ["watching", "closed"])
def test_a_state_is_asked_for_by_the_address(site: Client, rui: Person, state: str) -> None:
    one, other = open_case(rui, "a.exe"), open_case(rui, "a.exe")
    Case.objects.filter(pk=one.pk).update(state=state)
    assert cases_on(site.get(f"/cases/?state={state}").content.decode()) == [one.pk]
    assert cases_on(site.get("/cases/?state=all").content.decode()) == [other.pk, one.pk]


def test_what_is_assigned_to_me_with_a_tag_and_a_severity(site: Client, rui: Person) -> None:
    wanted, *others = (open_case(rui, "a.exe") for _ in range(4))
    fit: dict[str, object] = {"assignee": rui, "tags": ["blue fox", "x"], "severity": 3}
    Case.objects.filter(pk=wanted.pk).update(**fit)
    unfit: list[dict[str, object]] = [{"assignee": None}, {"tags": ["blue"]}, {"severity": 2}]
    for case, other in zip(others, unfit, strict=True):
        Case.objects.filter(pk=case.pk).update(**{**fit, **other})
    page = site.get("/cases/?whose=assigned&tag=Blue+Fox&severity=high").content.decode()
    assert cases_on(page) == [wanted.pk]
    assert "<b>1</b> case matches" in page


@pytest.mark.parametrize("sort", ["newest", "oldest", "severity"])
def test_the_pages_of_each_order_show_every_case_once(site: Client, rui: Person, sort: str) -> None:
    made = Case.objects.bulk_create(
        Case(title=f"case {number}", owner=rui, severity=number % 5) for number in range(120)
    )
    keys = {
        "newest": lambda case: -case.pk,
        "oldest": lambda case: case.pk,
        "severity": lambda case: (-case.severity, -case.pk),
    }
    shown, address = [], f"/cases/?sort={sort}"
    while address:
        page = site.get(address).content.decode()
        shown += cases_on(page)
        following = re.search(r'href="(/cases/[^"]*)" rel="next"', page)
        address = unescape(following[1]) if following else ""
    assert shown == [case.pk for case in sorted(made, key=keys[sort])]


@pytest.mark.parametrize(
    "query", ["state=archived", "whose=x", "severity=9", "sort=x", "sort=severity&before=999999"]
)
def test_a_made_up_filter_is_refused(site: Client, query: str) -> None:
    assert site.get(f"/cases/?{query}").status_code == 400


def test_html_in_titles_and_names_is_text(site: Client, rui: Person) -> None:
    case = open_case(rui, "<img src=x onerror=alert(1)>")
    Case.objects.filter(pk=case.pk).update(title="<script>x</script>")
    html = site.get("/cases/").content.decode()
    assert "<img" not in html
    assert "<script>x" not in html


def test_a_made_up_page_is_refused(site: Client) -> None:
    assert site.get("/cases/?before=x").status_code == 400


def test_the_list_is_not_posted_to(site: Client) -> None:
    assert site.post("/cases/").status_code == 405


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_all_cases(role: Role, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    assert cases_on(client_with(role).get("/cases/").content.decode()) == [case.pk]


def test_the_list_costs_the_same_for_many_cases_and_files(
    site: Client, rui: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(12):
        merge_and_settle(open_case(rui, "a.exe"), row(dns="a.example"))
    CaseFile.objects.bulk_create(
        CaseFile(case=case, kind="name", text=f"n{number}", key=f"n{number}")
        for case in Case.objects.all()
        for number in range(200)
    )
    with django_assert_max_num_queries(9):
        site.get("/cases/")
