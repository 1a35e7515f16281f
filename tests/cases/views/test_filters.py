"""Each filter of the queue is a part of its address."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from cases.models import Case, Decision
from cases.ordering import ORDERS
from cases.views import proposed
from footprint.accounts.models import Person
from tests.cases.views.pages import queue_url, text_of, values_on
from tests.cases.world import decide_on, merge_and_settle, open_case, row, value_of


@pytest.fixture
def values(case: Case) -> None:
    merge_and_settle(
        case,
        row("203.0.113.1", "www.contoso.co.uk", ports=[443, 8443], devices=3),
        row("203.0.113.2", "cdn.contoso.co.uk", ports=[80], days_ago=1),
        row("203.0.113.3", ports=[4444], days_ago=2),
        row(dns="no name at all/", days_ago=3),
        row(dns="xn--bcher-kva.example", days_ago=4),
        row("203.0.113.9", "printer", days_ago=5),
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=address", ["203.0.113.3"]),
        ("kind=text", ["no name at all/"]),
        ("port=8443", ["www.contoso.co.uk"]),
        ("port=80", ["cdn.contoso.co.uk"]),
        ("domain=contoso.co.uk", ["www.contoso.co.uk", "cdn.contoso.co.uk"]),
        ("domain=CONTOSO.co.uk&port=443", ["www.contoso.co.uk"]),
        ("q=CONTOSO", ["www.contoso.co.uk", "cdn.contoso.co.uk"]),
        ("q=hxxps://www[.]contoso[.]co[.]uk/path", ["www.contoso.co.uk"]),
        ("q=b%C3%BCcher.example", ["xn--bcher-kva.example"]),
        ("q=20", ["203.0.113.3"]),
        ("q=co.u", ["www.contoso.co.uk", "cdn.contoso.co.uk"]),
        ("q=name+at", ["no name at all/"]),
        ("devices=2", ["www.contoso.co.uk"]),
        ("devices=1&kind=address", ["203.0.113.3"]),
        ("verdict=undecided&kind=name&sort=-name", ["printer"]),
    ],
)
@pytest.mark.usefixtures("values")
def test_the_filter_leaves_what_it_says(site: Client, case: Case, query: str, found: list[str]) -> None:
    shown = values_on(site.get(queue_url(case, query)))
    assert (shown[-1:] if "sort" in query else shown) == found


@pytest.mark.parametrize("sort", [key for name in ORDERS for key in (name, f"-{name}")])
@pytest.mark.usefixtures("values")
def test_every_order_can_be_asked_for(site: Client, case: Case, sort: str) -> None:
    page = site.get(queue_url(case, f"sort={sort}"))
    assert len(values_on(page)) == 6
    head = re.search(r'aria-sort="(\w+)"', page.content.decode())
    assert head is not None or "first-seen" in sort


def test_the_head_of_the_sorted_column_turns_it_around(site: Client, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    page = site.get(queue_url(case, "q=a&sort=devices")).content.decode()
    assert f'aria-sort="descending"><a class="sort" href="/cases/{case.pk}/?q=a&amp;sort=-devices"' in page


def test_an_order_that_is_none_is_refused(site: Client, case: Case) -> None:
    assert site.get(queue_url(case, "sort=colour")).status_code == 400


def test_names_lie_beside_those_of_their_registered_domain(site: Client, case: Case) -> None:
    merge_and_settle(
        case,
        *(
            row(dns=name)
            for name in ("a.zeta.example", "b.alpha.example", "z.alpha.example", "c.zeta.example")
        ),
    )
    assert values_on(site.get(queue_url(case, "sort=name"))) == [
        *("b.alpha.example", "z.alpha.example", "a.zeta.example", "c.zeta.example")
    ]


@pytest.mark.parametrize(
    ("query", "said"),
    [("port=https", "A port is a number from 0 to 65535."), ("devices=many", "Give a number of devices.")],
)
@pytest.mark.usefixtures("values")
def test_what_cannot_be_read_is_said_at_its_field_and_kept(
    site: Client, case: Case, query: str, said: str
) -> None:
    page = site.get(queue_url(case, query))
    assert said in text_of(page)
    assert f'value="{query.partition("=")[2]}"' in page.content.decode()
    assert len(values_on(page)) == 6


@pytest.mark.usefixtures("values")
def test_values_with_a_proposal_that_waits(site: Client, case: Case, rui: Person) -> None:
    decided = decide_on(rui, case, "printer", scope="case")
    Decision.objects.filter(pk=decided.pk).update(state="proposed")
    page = site.get(queue_url(case, "proposed=1"))
    assert values_on(page) == ["printer"]
    assert "block proposed, waits" in text_of(page)


@pytest.mark.usefixtures("values")
def test_a_verdict_of_another_case_stands_on_the_row(site: Client, case: Case, rui: Person) -> None:
    other = open_case(rui, "z.exe")
    merge_and_settle(other, row(dns="printer", file="z.exe"))
    decide_on(rui, other, "printer", "allowed", scope="case", reason="Ours")
    page = site.get(queue_url(case, "q=printer"))
    assert f"allowed in case {other.pk}" in text_of(page)
    assert 'title="by Rui Alves: Ours"' in page.content.decode()


@pytest.mark.usefixtures("values")
def test_a_filter_survives_every_other_choice(site: Client, case: Case) -> None:
    page = site.get(queue_url(case, "port=443&sort=devices&kind=name")).content.decode()
    assert "port=443&amp;sort=devices" in page
    assert page.count('class="fchip"') == 2
    assert value_of(case, "www.contoso.co.uk").domain == "contoso.co.uk"


@pytest.mark.usefixtures("values")
def test_a_proposal_that_counts_in_another_case_alone_is_none_here(
    site: Client, case: Case, rui: Person
) -> None:
    other = open_case(rui, "z.exe")
    merge_and_settle(other, row(dns="printer", file="z.exe"))
    decided = decide_on(rui, other, "printer", scope="case")
    Decision.objects.filter(pk=decided.pk).update(state="proposed")
    assert values_on(site.get(queue_url(case, "proposed=1"))) == []
    assert "block proposed, waits" not in text_of(site.get(queue_url(case, "q=printer")))
    assert values_on(site.get(queue_url(other, "proposed=1"))) == ["printer"]


def test_what_is_proposed_around_a_value_is_found_as_it_is_shown(
    site: Client, ana: Person, case: Case
) -> None:
    merge_and_settle(
        case,
        *(row(dns=name) for name in ("contoso.example", "a.contoso.example", "acontoso.example")),
        *(row(address) for address in ("198.51.100.7", "198.51.101.7")),
    )
    decide_on(ana, case, "a.contoso.example", "blocked", subject="*.contoso.example")
    decide_on(ana, case, "198.51.100.7", "blocked", "case", subject="198.51.100.0/24")
    page = site.get(queue_url(case, "proposed=1"))
    assert sorted(values_on(page)) == ["198.51.100.7", "a.contoso.example", "contoso.example"]
    assert page.content.decode().count('class="waits"') == 3
    assert site.get(queue_url(case)).content.decode().count('class="waits"') == 3


def test_what_is_proposed_around_a_value_for_another_case_or_file_is_not_shown(
    site: Client, ana: Person, rui: Person, case: Case
) -> None:
    other = open_case(rui, "other.exe")
    for each in (case, other):
        merge_and_settle(each, row(dns="a.contoso.example", file=each.files.all()[0].key))
    file = other.files.get()
    decide_on(ana, other, "a.contoso.example", "blocked", "case", subject="*.contoso.example")
    decide_on(ana, other, "a.contoso.example", "blocked", "file", subject="*.contoso.example", file=file)
    assert values_on(site.get(queue_url(case, "proposed=1"))) == []
    assert values_on(site.get(queue_url(other, "proposed=1"))) == ["a.contoso.example"]


def test_wide_proposals_of_other_cases_leave_room_for_those_that_reach_this_one(
    site: Client, ana: Person, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposed, "WIDE_AT_MOST", 1)
    other = open_case(rui, "other.exe")
    for each in (case, other):
        merge_and_settle(each, row(dns="a.contoso.example", file=each.files.all()[0].key))
    for each in (other, case):
        decide_on(ana, each, "a.contoso.example", "blocked", "case", subject="*.contoso.example")
    assert values_on(site.get(queue_url(case, "proposed=1"))) == ["a.contoso.example"]
