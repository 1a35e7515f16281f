from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.models import Case
from footprint.accounts.models import Person, Role
from hunts.models import Hunt, Source
from tests.cases.views.pages import HTMX, text_of
from tests.cases.views.test_decision_list import made
from tests.cases.world import merge_and_settle, open_case, row, value_of
from tests.roles import client_with


@pytest.fixture
def case(rui: Person) -> Case:
    case = open_case(rui, "updater.exe")
    merge_and_settle(case, row("203.0.113.7", "cdn.contoso.example", file="updater.exe"))
    return case


def links(site: Client, text: str, **query: str) -> list[str]:
    page = site.get("/search/", {"q": text, **query}).content.decode()
    return re.findall(r'class="hit" href="([^"]*)"', page)


def test_a_case_is_found_by_number_and_by_title(site: Client, case: Case) -> None:
    for text in (str(case.pk), f"case {case.pk}", f"#{case.pk}", "does it TALK"):
        assert f"/cases/{case.pk}/" in links(site, text)


def test_a_value_leads_to_its_page(site: Client, case: Case) -> None:
    value = value_of(case, "cdn.contoso.example")
    for text in ("cdn.contoso.example", "contoso.example", "203.0.113.7", "https://cdn.contoso.example/x"):
        assert f"/cases/{case.pk}/values/{value.pk}/" in links(site, text)


def test_a_value_of_several_cases_leads_to_its_page_across_them(
    site: Client, rui: Person, case: Case
) -> None:
    merge_and_settle(open_case(rui, "b.exe"), row(dns="cdn.contoso.example", file="b.exe"))
    assert "/values/?value=cdn.contoso.example" in links(site, "cdn.contoso.example")


@pytest.mark.parametrize(
    ("text", "kind", "subject"),
    [
        ("203.0.113.7", "network", "203.0.113.0/24"),
        ("cdn.contoso.example", "below", "contoso.example"),
        ("hxxp://cdn[.]contoso[.]example", "name", "cdn.contoso.example"),
        ("contoso", "name", "www.contoso.example"),
    ],
)
def test_a_decision_is_found_by_what_it_covers(
    site: Client, rui: Person, text: str, kind: str, subject: str
) -> None:
    assert f"/decisions/{made(rui, subject, kind).pk}/" in links(site, text)


def test_a_decision_that_waits_for_a_second_person_is_found_as_proposed(site: Client, rui: Person) -> None:
    waiting = made(rui, "relay.contoso.example", "below", state="proposed")
    assert f"/decisions/{waiting.pk}/" in links(site, "relay.contoso")
    said = text_of(site.get("/search/", {"q": "relay.contoso"}))
    assert "proposed *.relay.contoso.example block everywhere" in said


def test_a_decision_that_has_ended_is_not_found(site: Client, rui: Person) -> None:
    ended = made(rui, "relay.contoso.example", "below", state="withdrawn")
    assert f"/decisions/{ended.pk}/" not in links(site, "relay.contoso")


def test_what_covers_comes_before_what_contains(site: Client, rui: Person) -> None:
    star = made(rui, "contoso.example", "below")
    exact = made(rui, "login.contoso.example")
    longer = made(rui, "x.login.contoso.example")
    assert links(site, "login.contoso.example") == [
        f"/decisions/{decision.pk}/" for decision in (exact, star, longer)
    ]


def test_files_hunts_sources_and_watchlists_are_found(site: Client, rui: Person, case: Case) -> None:
    source = Source.objects.get(slug="local")
    Hunt.objects.create(case=case, source=source, opened_by=rui)
    assert links(site, "UPDATER") == ["/cases/?q=updater.exe"]
    found = links(site, source.title)
    assert f"/cases/{case.pk}/runs/" in found
    assert "/sources/local/" in found
    assert links(site, "all-blocks") == ["/watchlists/all-blocks/"]


def test_more_than_fit_are_a_link_away(site: Client, rui: Person) -> None:
    for _ in range(6):
        open_case(rui, "a.exe")
    answer = site.get("/search/", {"q": "does it talk"}, headers=HTMX)
    assert len(re.findall("data-hit", answer.content.decode())) == 5
    assert 'href="/cases/?q=does+it+talk"' in answer.content.decode()


def test_names_and_addresses_alone_in_any_number(site: Client, case: Case) -> None:
    merge_and_settle(
        case, *(row(dns=f"n{number}.contoso.example", file="updater.exe") for number in range(30))
    )
    page = site.get("/search/", {"q": "contoso.example"}).content.decode()
    assert 'href="/search/?q=contoso.example&amp;group=values"' in page
    assert len(links(site, "contoso.example", group="values")) == 31


def test_nothing_found_says_what_can_be_found(site: Client) -> None:
    assert "Nothing found" in text_of(site.get("/search/?q=nothing-like-it"))


def test_nothing_asked_finds_nothing(site: Client) -> None:
    for query in ("", "q=", "q=%20", "q=%00"):
        said = text_of(site.get(f"/search/?{query}"))
        assert "Nothing found" not in said


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "a\u202eb", "'; DROP TABLE cases_case; --", "x" * 5000]
)
def test_a_hostile_text_is_text(site: Client, rui: Person, text: str) -> None:
    Case.objects.create(title=text[:200], owner=rui)
    answer = site.get("/search/", {"q": text})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def test_marks_that_turn_text_are_shown_as_they_are(site: Client, rui: Person) -> None:
    Case.objects.create(title="a\u202eb", owner=rui)
    assert "a\\u202eb case" in text_of(site.get("/search/", {"q": "a\u202e"}))


def test_the_dialog_is_on_every_page_with_a_form_under_it(site: Client) -> None:
    page = site.get("/ledger/").content.decode()
    dialog = page.partition('id="search"')[2].partition("</dialog>")[0]
    assert 'action="/search/"' in dialog


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_search(role: Role, db: None) -> None:
    assert client_with(role).get("/search/?q=a").status_code == 200


def test_a_search_asks_as_often_for_one_hit_as_for_many(
    site: Client, rui: Person, case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(8):
        other = open_case(rui, "updater.exe")
        merge_and_settle(other, row(dns=f"n{number}.contoso.example", file="updater.exe"))
        made(rui, f"n{number}.contoso.example")
    with django_assert_max_num_queries(17):
        site.get("/search/", {"q": "contoso.example"}, headers=HTMX)


def test_a_number_finds_its_case_and_hunt_however_many_others_are_called_so(
    site: Client, rui: Person, case: Case
) -> None:
    hunt = Hunt.objects.create(case=case, source=Source.objects.get(slug="local"), opened_by=rui)
    for _ in range(25):
        again = open_case(rui, "a.exe")
        Case.objects.filter(pk=again.pk).update(title=f"As in {case.pk} and {hunt.pk}")
    assert links(site, str(case.pk))[0] == f"/cases/{case.pk}/"
    assert f"/cases/{case.pk}/runs/" in links(site, str(hunt.pk))
