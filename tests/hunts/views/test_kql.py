from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from hunts.kql.footprint import seed_query
from tests.cases.views.pages import Answer, text_of
from tests.hunts.views.conftest import OpenCase

NASTY = 'a"b\\c <img src=x onerror=alert(1)>.exe'


def kql_of(page: Answer, name: str) -> str:
    """The text of one box, exactly as its copy button takes it."""
    found = re.search(rf'<pre [^>]*id="{name}"[^>]*>(.*?)</pre>', page.content.decode(), re.DOTALL)
    assert found is not None
    return unescape(re.sub(r"</?span[^>]*>", "", found[1]))


def test_both_texts_stand_there_for_log_analytics(site: Client, open_a_case: OpenCase) -> None:
    page = site.get(f"/cases/{open_a_case('a.exe', 'b.exe').hunt.case_id}/kql/")
    assert kql_of(page, "seed") == seed_query("a.exe").text
    rich = kql_of(page, "rich-1")
    assert 'in~ ("a.exe", "b.exe")' in rich
    assert "TimeGenerated >= " in rich


def test_defender_has_its_own_time_column(site: Client, open_a_case: OpenCase) -> None:
    rich = kql_of(site.get(f"/cases/{open_a_case('a.exe').hunt.case_id}/kql/?dialect=defender"), "rich-1")
    assert "TimeGenerated" not in rich
    assert "Timestamp >= " in rich


def test_the_seed_is_shown_for_any_name_of_the_case(site: Client, open_a_case: OpenCase) -> None:
    page = site.get(f"/cases/{open_a_case('a.exe', 'b.exe').hunt.case_id}/kql/?name=b.exe")
    assert kql_of(page, "seed") == seed_query("b.exe").text


def test_a_nasty_name_is_copied_exactly_and_shown_as_text(site: Client, open_a_case: OpenCase) -> None:
    page = site.get(f"/cases/{open_a_case(NASTY).hunt.case_id}/kql/")
    assert kql_of(page, "seed") == seed_query(NASTY).text
    assert "<img" not in page.content.decode()


def test_hashes_are_questions_of_their_own(site: Client, open_a_case: OpenCase) -> None:
    page = site.get(f"/cases/{open_a_case('a.exe', 'b' * 40).hunt.case_id}/kql/")
    assert "InitiatingProcessSHA1 in~" in kql_of(page, "rich-2")
    assert "by SHA1" in text_of(page)


def test_a_case_of_hashes_has_no_seed(site: Client, open_a_case: OpenCase) -> None:
    page = site.get(f"/cases/{open_a_case('b' * 40).hunt.case_id}/kql/")
    assert "names hashes only" in text_of(page)


@pytest.mark.parametrize("query", ["dialect=sql", "name=c.exe", "name=%00"])
def test_what_the_case_does_not_have_is_refused(site: Client, open_a_case: OpenCase, query: str) -> None:
    assert site.get(f"/cases/{open_a_case('a.exe').hunt.case_id}/kql/?{query}").status_code == 400


def test_five_thousand_names_are_shown(site: Client, open_a_case: OpenCase) -> None:
    run = open_a_case(*(f"n{number}.exe" for number in range(5000)))
    assert '"n4999.exe"' in kql_of(site.get(f"/cases/{run.hunt.case_id}/kql/"), "rich-1")
