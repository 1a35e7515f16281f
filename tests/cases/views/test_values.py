from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.models import Case, Decision
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
    assert "No decision covers it, in any case" in said


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
    with django_assert_max_num_queries(25):
        site.get(page_of(case, "a.example"), headers=HTMX)


def test_every_reason_for_the_verdict_is_told_with_its_endpoints(
    site: Client, case: Case, rui: Person
) -> None:
    merge_and_settle(case, *(row(f"203.0.113.{n}", "a.example") for n in range(3)), row("203.0.113.1"))
    decide_on(rui, case, "203.0.113.1", "blocked")
    said = text_of(site.get(page_of(case, "a.example"), headers=HTMX))
    assert "Address: blocked by 203.0.113.1 everywhere. So: blocked. 1 endpoint" in said
    assert "So: undecided. 2 endpoints" in said


def test_wider_decisions_of_other_cases_are_told_with_who_and_why(
    site: Client, case: Case, other_case: Case, ana: Person
) -> None:
    merge_and_settle(case, row(dns="www.contoso.example"))
    merge_and_settle(other_case, row(dns="contoso.example"))
    wide = decide_on(ana, other_case, "contoso.example", "allowed", scope="case", reason="Their own site")
    Decision.objects.filter(pk=wide.pk).update(subject_kind="below")
    page = site.get(page_of(case, "www.contoso.example"))
    assert "*.contoso.example" in text_of(page)
    assert "Their own site" in text_of(page)
    assert f'href="/decisions/{wide.pk}/"' in page.content.decode()


def test_names_that_share_the_address_are_told(site: Client, case: Case, other_case: Case) -> None:
    merge_and_settle(case, row("203.0.113.1", "a.example"), row("203.0.113.1"))
    merge_and_settle(other_case, row("203.0.113.1", "b.example"))
    of_name = text_of(site.get(page_of(case, "a.example")))
    assert "Other names on its addresses" in of_name
    assert "b.example" in of_name
    of_address = text_of(site.get(page_of(case, "203.0.113.1")))
    assert "Names on it 2, in all cases" in of_address


@pytest.mark.parametrize(
    ("ip", "dns", "value", "links"),
    [
        ("8.8.8.8", "", "8.8.8.8", ["gui/ip-address/8.8.8.8", "check/8.8.8.8"]),
        ("", "www.example.com", "www.example.com", ["gui/domain/www.example.com", "check/www.example.com"]),
        ("10.1.2.3", "", "10.1.2.3", []),
        ("", "printer", "printer", []),
        ("", "no name/", "no name/", []),
    ],
)
def test_pages_of_others_are_plain_links_and_never_for_what_is_internal(
    site: Client, case: Case, ip: str, dns: str, value: str, links: list[str]
) -> None:
    merge_and_settle(case, row(ip, dns))
    page = site.get(page_of(case, value)).content.decode()
    assert (
        re.findall(r'href="https://[^/]*/([^"]*)" rel="noopener noreferrer" target="_blank"', page) == links
    )


def test_a_copy_can_be_defanged(site: Client, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    page = site.get(page_of(case, "a.example"), headers=HTMX).content.decode()
    assert 'data-copy="a.example"' in page
    assert 'data-copy="a[.]example"' in page
