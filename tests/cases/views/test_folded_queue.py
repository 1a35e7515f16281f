"""The queue folded up to registered domains."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases import domain_walk
from cases.models import Case
from footprint.accounts.models import Person
from tests.cases.views.pages import HTMX, queue_url, text_of, values_on
from tests.cases.world import decide_on, merge_and_settle, row


@pytest.fixture
def values(case: Case) -> None:
    merge_and_settle(
        case,
        *(row(f"203.0.113.{n}", f"n{n}.contoso.example") for n in range(4)),
        row(dns="only.fabrikam.example"),
        row("203.0.113.9"),
        row(dns="printer"),
    )


def domains_on(page: str) -> list[str]:
    return re.findall(r'<bdi class="clip" title="\*\.([^"]*)"', page)


def test_names_of_one_domain_are_one_line_and_a_single_name_stands_for_itself(
    site: Client, case: Case, values: None, rui: Person
) -> None:
    decide_on(rui, case, "n1.contoso.example")
    answer = site.get(queue_url(case, "by=domain"))
    assert domains_on(answer.content.decode()) == ["contoso.example"]
    assert values_on(answer) == ["only.fabrikam.example"]
    assert "4 names, 3 undecided" in text_of(answer)
    assert "2 values without a registered domain" in text_of(answer)


def test_a_domain_unfolds_in_its_place_and_folds_again(site: Client, case: Case, values: None) -> None:
    url = f"/cases/{case.pk}/domain?domain=contoso.example"
    current = HTMX | {"HX-Current-URL": f"http://testserver{queue_url(case, 'by=domain')}"}
    part = site.get(url, headers=current)
    assert values_on(part) == [f"n{n}.contoso.example" for n in range(4)]
    assert "<html" not in part.content.decode()
    assert values_on(site.get(f"{url}&fold=1", headers=current)) == []


def test_without_javascript_the_address_unfolds_it(site: Client, case: Case, values: None) -> None:
    page = site.get(queue_url(case, "by=domain&open=contoso.example"))
    assert values_on(page) == [*(f"n{n}.contoso.example" for n in range(4)), "only.fabrikam.example"]


def test_filters_go_on_working(site: Client, case: Case, values: None, rui: Person) -> None:
    decide_on(rui, case, "n1.contoso.example")
    assert "4 names" not in text_of(site.get(queue_url(case, "by=domain&verdict=undecided")))
    assert "3 names" in text_of(site.get(queue_url(case, "by=domain&verdict=undecided")))
    assert domains_on(site.get(queue_url(case, "by=domain&q=fabrikam")).content.decode()) == []
    current = HTMX | {"HX-Current-URL": f"http://testserver{queue_url(case, 'by=domain&verdict=blocked')}"}
    part = site.get(f"/cases/{case.pk}/domain?domain=contoso.example", headers=current)
    assert values_on(part) == ["n1.contoso.example"]


def test_values_without_a_domain_are_one_filter_away(site: Client, case: Case, values: None) -> None:
    assert sorted(values_on(site.get(queue_url(case, "domain=-")))) == ["203.0.113.9", "printer"]


def test_the_pages_together_show_every_domain_once_undecided_first(
    site: Client, case: Case, rui: Person
) -> None:
    merge_and_settle(case, *(row(dns=f"{name}.d{n:03}.example") for n in range(120) for name in "ab"))
    for n in range(30):
        for name in "ab":
            decide_on(rui, case, f"{name}.d{n:03}.example")
    seen: list[str] = []
    url = queue_url(case, "by=domain")
    while url:
        page = site.get(url).content.decode()
        seen += domains_on(page)
        more = re.search(r'href="([^"]*after=[^"]*)"', page)
        url = more[1].replace("&amp;", "&") if more else ""
    assert seen == [f"d{n:03}.example" for n in (*range(30, 120), *range(30))]


@pytest.mark.parametrize("mark", ["x", "1.", "2.a.example", "1.%00"])
def test_a_made_up_page_is_refused(site: Client, case: Case, mark: str) -> None:
    assert site.get(queue_url(case, f"by=domain&after={mark}")).status_code == 400


def test_a_domain_that_is_not_there_is_not_found(site: Client, case: Case, values: None) -> None:
    assert site.get(f"/cases/{case.pk}/domain?domain=x.example", headers=HTMX).status_code == 404


def test_many_domains_cost_as_many_questions_as_one(
    site: Client, case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(
        case, *(row(dns=f"{name}.d{n}.example") for n in range(40) for name in "ab"[: 1 + n % 2])
    )
    site.get(queue_url(case, "by=domain"))
    with django_assert_max_num_queries(24):
        site.get(queue_url(case, "by=domain"))


def test_of_a_domain_with_very_many_names_no_more_are_counted(
    site: Client, case: Case, values: None, rui: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain_walk, "NAMES_COUNTED", 2)
    decide_on(rui, case, "n1.contoso.example")
    said = text_of(site.get(queue_url(case, "by=domain")))
    assert "3+ names, 2+ undecided" in said
    assert "1 name," not in said


def test_when_it_was_last_seen_is_left_out_where_nobody_looked_that_far(case: Case) -> None:
    merge_and_settle(
        case,
        *(row(dns=f"n{n}.contoso.example", days_ago=9) for n in range(3)),
        *(row(dns=f"n{n}.fabrikam.example", days_ago=1) for n in range(3)),
    )
    domains = ["contoso.example", "fabrikam.example"]
    everything = {each.domain: each for each in domain_walk.counts_of_domains(case.pk, domains)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(domain_walk, "NAMES_COUNTED", 2)
        cut = {each.domain: each for each in domain_walk.counts_of_domains(case.pk, domains)}
    assert cut["contoso.example"].last_seen is None
    assert cut["fabrikam.example"].last_seen == everything["fabrikam.example"].last_seen
    assert {each.names for each in everything.values()} == {3}


def test_a_filter_that_leaves_everything_folds_as_none_does(
    site: Client, case: Case, values: None, rui: Person
) -> None:
    decide_on(rui, case, "n1.contoso.example")
    decide_on(rui, case, "only.fabrikam.example")
    whole, narrow = (site.get(queue_url(case, f"by=domain{query}")) for query in ("", "&devices=0"))
    assert domains_on(narrow.content.decode()) == domains_on(whole.content.decode())
    assert values_on(narrow) == values_on(whole)
    assert "4 names, 3 undecided" in text_of(whole)
    assert "4 names, 3 undecided" in text_of(narrow)
