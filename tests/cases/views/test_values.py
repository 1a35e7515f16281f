from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.models import Case
from footprint.accounts.models import Person
from tests.cases.views.pages import HTMX, text_of
from tests.cases.world import decide_on, merge_and_settle, row, value_of


def page_of(case: Case, value: str) -> str:
    return f"/cases/{case.pk}/values/{value_of(case, value).pk}/"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_everything_known_about_a_value_is_told(site: Client, case: Case, headers: dict[str, str]) -> None:
    merge_and_settle(
        case,
        row(
            "203.0.113.1",
            "a.example",
            command_lines=["a.exe --beacon"],
            accounts=["SYSTEM"],
            ports=[443, 8443],
        ),
        row("203.0.113.2", "a.example", device_names=["lis-w-0002"], publishers=["Northwind"]),
    )
    said = text_of(site.get(page_of(case, "a.example"), headers=headers))
    for known in (
        "a.exe --beacon",
        "SYSTEM",
        "443 8443",
        "203.0.113.1",
        "203.0.113.2",
        "lis-w-0002",
        "Northwind",
    ):
        assert known in said
    assert "Nobody decided on exactly this value yet" in said


def test_the_panel_is_a_part_and_the_page_is_whole(site: Client, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    assert "<html" not in site.get(page_of(case, "a.example"), headers=HTMX).content.decode()
    assert "<html" in site.get(page_of(case, "a.example")).content.decode()


def test_a_cut_set_says_that_there_is_more(site: Client, case: Case) -> None:
    accounts = [f"user{number}" for number in range(11)]
    merge_and_settle(case, row(dns="a.example", accounts=accounts))
    assert "and more" in text_of(site.get(page_of(case, "a.example")))


def test_the_decisions_are_told_with_reason_and_who(site: Client, case: Case, ana: Person) -> None:
    merge_and_settle(case, row("203.0.113.1", "a.example"))
    decide_on(ana, case, "a.example", "allowed", scope="case", reason="Vendor says so")
    said = text_of(site.get(page_of(case, "a.example")))
    assert "Vendor says so" in said
    assert "Ana Sousa" in said
    assert "Name: allowed by a.example in this case." in said


def test_evidence_is_shown_and_never_run(site: Client, case: Case) -> None:
    merge_and_settle(
        case, row(dns="a.example", command_lines=["<svg onload=alert(1)>"], folders=["\u202ec:\\x"])
    )
    page = site.get(page_of(case, "a.example")).content.decode()
    assert "<svg onload" not in page
    assert "&lt;svg onload=alert(1)&gt;" in page
    assert "\\u202ec:\\x" in page


def test_the_page_asks_as_often_for_one_pair_as_for_many(
    site: Client, case: Case, rui: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(case, *(row(f"203.0.113.{number}", "a.example") for number in range(60)))
    decide_on(rui, case, "a.example")
    site.get(page_of(case, "a.example"))
    with django_assert_max_num_queries(18):
        site.get(page_of(case, "a.example"), headers=HTMX)
