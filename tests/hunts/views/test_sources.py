from __future__ import annotations

from collections.abc import Callable, Iterable

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hunts.adapters import store_of
from hunts.models import Source
from tests.cases.views.pages import text_of
from tests.hunts.telemetry_lines import Event, days_ago, event

MakeSource = Callable[[Iterable[Event]], Source]


def test_a_source_tells_its_rows_days_and_imports(site: Client, make_source: MakeSource) -> None:
    source = make_source([event("a.exe", days_ago(back), ip="198.51.100.7") for back in (0, 0, 2)])
    page = site.get(f"/sources/{source.slug}/")
    said = text_of(page)
    assert "Rows 3 Days 2" in said
    assert "events.jsonl" in said
    assert "Rows on 2 of the last 30 days, at most 2 on" in page.content.decode()
    assert f"import_telemetry PATH… --source {source.slug}" in said


def test_a_source_that_is_behind_says_by_how_much(site: Client, make_source: MakeSource) -> None:
    source = make_source([event("a.exe", days_ago(5), ip="198.51.100.7")])
    assert "newest day is 5 days old" in text_of(site.get("/sources/"))
    assert "newest day is 5 days old" in text_of(site.get(f"/sources/{source.slug}/"))


def test_an_empty_source_says_that_it_proves_nothing(site: Client) -> None:
    assert "Nothing has been imported yet" in text_of(site.get("/sources/local/"))
    assert "nothing imported yet" in text_of(site.get("/sources/"))


def test_a_damaged_store_is_told_and_hides_no_other_source(site: Client, make_source: MakeSource) -> None:
    damaged = make_source([event("a.exe", days_ago(0), ip="198.51.100.7")])
    (store_of(damaged).folder / "manifest.json").write_text("{")
    said = text_of(site.get("/sources/"))
    assert "cannot be read" in said
    assert "Imported telemetry" in said
    assert "This source cannot be read" in text_of(site.get(f"/sources/{damaged.slug}/"))


def test_the_page_costs_the_same_for_many_sources(
    site: Client, make_source: MakeSource, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(4):
        make_source([event("a.exe", days_ago(1), ip="198.51.100.7")])
    with django_assert_max_num_queries(6):
        site.get("/sources/")
