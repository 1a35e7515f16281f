from __future__ import annotations

import csv
import hashlib
import re
from io import StringIO

import pytest
from django.http import FileResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.models import Case
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.roles import client_with

BLOCKS = "/watchlists/all-blocks/"


@pytest.fixture
def case(rui: Person) -> Case:
    return open_case(rui, "a.exe")


def block(rui: Person, case: Case, *values: str, **told: str) -> None:
    merge_and_settle(case, *(row(dns=value) for value in values))
    for value in values:
        decide_on(rui, case, value, scope="everywhere", **told)


def subjects_on(page: str) -> list[str]:
    return re.findall(r'class="val mono" title="([^"]*)"', page)


def download(site: Client, format: str) -> str:
    answer = site.get(f"{BLOCKS}download/{format}/")
    assert isinstance(answer, FileResponse)
    return answer.getvalue().decode()


def test_the_lists_say_how_much_is_on_them(site: Client, rui: Person, case: Case) -> None:
    block(rui, case, "a.example", "b.example")
    said = text_of(site.get("/watchlists/"))
    assert "All blocks all-blocks Every name and address that is blocked everywhere. 2" in said
    assert "not yet" in said
    assert f"by {rui}" in said


def test_entries_stand_there_newest_first_with_who_and_why(site: Client, rui: Person, case: Case) -> None:
    block(rui, case, "a.example", "b.example", reason="Command channel")
    page = site.get(BLOCKS)
    assert subjects_on(page.content.decode()) == ["b.example", "a.example"]
    said = text_of(page)
    assert "Entries 2" in said
    assert "Command channel" in said
    assert str(rui) in said


def test_what_counts_in_one_case_only_is_not_on_the_list(site: Client, rui: Person, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    decide_on(rui, case, "a.example", scope="case")
    assert "Nothing is on this list" in text_of(site.get(BLOCKS))


def test_an_entry_is_found_also_when_defanged(site: Client, rui: Person, case: Case) -> None:
    block(rui, case, "cdn.a.example", "b.example")
    page = site.get(f"{BLOCKS}?q=A[.]example")
    assert subjects_on(page.content.decode()) == ["cdn.a.example"]
    assert "1 of 2 matches" in text_of(page)


def test_the_pages_together_show_every_entry_once(site: Client, rui: Person, case: Case) -> None:
    block(rui, case, *(f"n{number}.example" for number in range(60)))
    page = site.get(BLOCKS).content.decode()
    older = re.search(rf'href="({BLOCKS}\?before=\d+)" rel="next"', page)
    assert older is not None
    shown = subjects_on(page) + subjects_on(site.get(older[1]).content.decode())
    assert shown == [f"n{number}.example" for number in reversed(range(60))]


def test_plain_text_is_taken_away_as_a_file(site: Client, rui: Person, case: Case) -> None:
    block(rui, case, "b.example", "a.example")
    answer = site.get(f"{BLOCKS}download/plain-text/")
    assert isinstance(answer, FileResponse)
    assert answer.getvalue() == b"a.example\nb.example\n"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="all-blocks.txt"'


def test_sentinel_csv_is_taken_away_with_its_header(site: Client, rui: Person, case: Case) -> None:
    block(rui, case, "a.example", reason="=1+1")
    rows = list(csv.DictReader(StringIO(download(site, "sentinel-csv"))))
    assert [(each["Value"], each["Reason"]) for each in rows] == [("a.example", "'=1+1")]


def test_a_download_stands_in_the_ledger_with_its_hash(site: Client, rui: Person, case: Case) -> None:
    block(rui, case, "a.example")
    content = download(site, "plain-text")
    entry = Entry.objects.get(event="watchlists:watchlist:downloaded")
    assert entry.actor_name == str(rui)
    assert entry.content["after"]["sha256"] == hashlib.sha256(content.encode()).hexdigest()


def test_an_entry_that_no_format_can_say_is_marked(site: Client, rui: Person, case: Case) -> None:
    block(rui, case, "http://[::bad/")
    assert "in JSON and CSV only" in text_of(site.get(BLOCKS))
    assert download(site, "plain-text") == ""


def test_html_in_reasons_and_subjects_is_text(site: Client, rui: Person, case: Case) -> None:
    block(rui, case, "<img src=x onerror=alert(1)>", reason="<script>x</script>")
    html = site.get(BLOCKS).content.decode()
    assert "<img" not in html
    assert "<script>x" not in html


@pytest.mark.parametrize(
    "address",
    ["/watchlists/nothing/", "/watchlists/nothing/download/plain-text/", f"{BLOCKS}download/nothing/"],
)
def test_what_is_not_there(site: Client, address: str) -> None:
    assert site.get(address).status_code == 404
    assert not Entry.objects.filter(event="watchlists:watchlist:downloaded").exists()


@pytest.mark.parametrize("address", ["/watchlists/", BLOCKS, f"{BLOCKS}download/plain-text/"])
def test_nothing_is_posted(site: Client, address: str) -> None:
    assert site.post(address).status_code == 405


def test_asking_for_the_head_alone_takes_nothing_away(site: Client) -> None:
    assert site.head(f"{BLOCKS}download/plain-text/").status_code == 405
    assert not Entry.objects.filter(event="watchlists:watchlist:downloaded").exists()


@pytest.mark.parametrize("query", ["before=x", "before=" + "9" * 30])
def test_a_made_up_page_is_refused(site: Client, query: str) -> None:
    assert site.get(f"{BLOCKS}?{query}").status_code == 400


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_read_and_take_lists(role: Role, db: None) -> None:
    site = client_with(role)
    for address in ("/watchlists/", BLOCKS):
        assert site.get(address).status_code == 200
    assert download(site, "plain-text") == ""


def test_the_pages_cost_the_same_for_many_entries(
    site: Client, rui: Person, case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    block(rui, case, *(f"n{number}.example" for number in range(30)))
    with django_assert_max_num_queries(11):
        site.get(BLOCKS)
    with django_assert_max_num_queries(9):
        site.get("/watchlists/")
