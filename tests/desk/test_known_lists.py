from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.models import KnownList
from footprint.accounts.models import Role
from tests.cases.known.lists import known_list, load, source
from tests.roles import client_with

PAGE = "/known-lists/"


@pytest.fixture
def lea(db: None) -> Client:
    return client_with(Role.LEAD)


def test_without_lists_the_page_says_how_they_come(site: Client) -> None:
    assert "manage.py load_known_lists" in site.get(PAGE).content.decode()


def test_the_page_shows_each_list_with_category_version_and_counts(site: Client) -> None:
    load(source("our-partners", "contoso.com", "no name", category="shared"))
    page = site.get(PAGE).content.decode()
    for said in ("Our partners", "our-partners", "shared infrastructure", "+1 unread", "from a file"):
        assert said in page


def test_a_value_is_looked_up_with_its_ranges(site: Client) -> None:
    known_list("office", ["10.0.0.0/9"])
    page = site.get(PAGE, {"value": "10[.]1[.]2[.]3"}).content.decode()
    assert "Known good" in page
    assert "10.0.0.0/9" in page
    assert "private (RFC 1918)" in page


def test_a_value_on_no_list_is_told_so(site: Client) -> None:
    known_list("office", ["10.0.0.0/9"])
    assert "No list that warns has" in site.get(PAGE, {"value": "contoso.com"}).content.decode()


@pytest.mark.parametrize("value", ["two words", "*.com", "1.2.3.4/99", "<script>", "x" * 290])
def test_what_is_no_value_is_refused_and_stays_in_its_field(site: Client, value: str) -> None:
    known_list("office", ["10.0.0.0/9"])
    answer = site.get(PAGE, {"value": value})
    assert answer.status_code == 200
    assert answer.context["looked_up"].refused
    assert answer.context["value"] == value
    assert "<script>" not in answer.content.decode()


def test_a_lead_switches_a_list_to_ignore_and_back(lea: Client) -> None:
    known_list("office", ["10.0.0.0/9"])
    for standing in ("ignore", "warn"):
        answer = lea.post(f"{PAGE}office/standing", {"standing": standing})
        assert answer.headers["Location"] == f"{PAGE}#office"
        assert KnownList.objects.get().standing == standing


def test_a_standing_that_does_not_exist_is_refused(lea: Client) -> None:
    known_list("office", ["10.0.0.0/9"])
    assert lea.post(f"{PAGE}office/standing", {"standing": "both"}).status_code == 400


@pytest.mark.parametrize("role", [Role.READER, Role.REVIEWER, Role.AUDITOR])
def test_only_a_lead_switches_lists(db: None, role: Role) -> None:
    known_list("office", ["10.0.0.0/9"])
    client = client_with(role)
    assert "Ignore" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}office/standing", {"standing": "ignore"}).status_code == 403
    assert KnownList.objects.get().standing == "warn"


def test_the_page_costs_the_same_for_many_lists(
    site: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    load(*(source(f"list-{number}", "contoso.com", f"{number}.example") for number in range(20)))
    with django_assert_max_num_queries(5):
        site.get(PAGE, {"value": "contoso.com"})
