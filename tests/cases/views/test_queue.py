from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases.models import Case, CaseValue, CaseVisit
from footprint.accounts.models import Person
from tests.cases.views.pages import HTMX, queue_url, text_of, values_on
from tests.cases.world import decide_on, merge_and_settle, open_case, row, value_of


def test_undecided_values_come_first_then_the_youngest(site: Client, case: Case, rui: Person) -> None:
    merge_and_settle(
        case, row(dns="old.example", days_ago=3), row(dns="young.example"), row(dns="bad.example")
    )
    decide_on(rui, case, "bad.example")
    assert values_on(site.get(queue_url(case))) == ["young.example", "old.example", "bad.example"]


def test_the_pages_together_show_every_value_once(site: Client, case: Case, rui: Person) -> None:
    # Many were first seen at the same moment, and the second page goes on into the decided ones.
    merge_and_settle(case, *(row(dns=f"n{number}.example", days_ago=number % 3) for number in range(120)))
    for number in range(25):
        decide_on(rui, case, f"n{number}.example")
    seen: list[str] = []
    url = queue_url(case)
    for _ in range(3):
        page = site.get(url)
        seen += values_on(page)
        more = re.search(r'href="([^"]*after=[^"]*)"', page.content.decode())
        url = more[1].replace("&amp;", "&") if more else ""
    assert url == ""
    assert len(seen) == 120
    assert set(seen) == {f"n{number}.example" for number in range(120)}
    assert set(seen[95:]) == {f"n{number}.example" for number in range(25)}


def test_the_next_page_keeps_the_filters(site: Client, case: Case) -> None:
    merge_and_settle(case, *(row(dns=f"n{number}.example") for number in range(60)), row(dns="other.test"))
    more = re.search(r'href="([^"]*after=[^"]*)"', site.get(queue_url(case, "q=example")).content.decode())
    assert more is not None
    assert len(values_on(site.get(more[1].replace("&amp;", "&")))) == 10


def test_htmx_gets_the_next_rows_alone(site: Client, case: Case) -> None:
    merge_and_settle(case, *(row(dns=f"n{number}.example") for number in range(60)))
    more = re.search(r'hx-get="([^"]*after=[^"]*)"', site.get(queue_url(case)).content.decode())
    assert more is not None
    part = site.get(more[1].replace("&amp;", "&"), headers=HTMX)
    assert len(values_on(part)) == 10
    assert "<html" not in part.content.decode()


@pytest.mark.parametrize("mark", ["x", "1.2", "1.2.3.4", "1.-5.3", "1.99999999999999999999.3", "1.²0.3"])
def test_a_made_up_page_is_refused(site: Client, case: Case, mark: str) -> None:
    assert site.get(queue_url(case, f"after={mark}")).status_code == 400


def test_counts_tell_what_matches_of_how_many(site: Client, case: Case, rui: Person) -> None:
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"), row(dns="c.test"))
    decide_on(rui, case, "a.example")
    assert "2 of 3 undecided" in text_of(site.get(queue_url(case)))
    assert "2 of 3 match" in text_of(site.get(queue_url(case, "q=EXAMPLE")))
    assert "1 of 3 match" in text_of(site.get(queue_url(case, "verdict=blocked")))


def test_a_defanged_value_is_found(site: Client, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"))
    assert values_on(site.get(queue_url(case, "q=a[.]example"))) == ["a.example"]


@pytest.mark.parametrize("search", ["%25", "_", "%00", "'; --", "\\"])
def test_what_means_something_to_sql_is_searched_for_as_it_is(site: Client, case: Case, search: str) -> None:
    merge_and_settle(case, row(dns="a.example"))
    found = values_on(site.get(queue_url(case, f"q={search}")))
    assert found == (["a.example"] if search == "%00" else [])


def test_the_file_filter_shows_what_that_file_talks_to(site: Client, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example", file="b.exe"))
    b_exe = case.files.get(key="b.exe")
    assert values_on(site.get(queue_url(case, f"file={b_exe.pk}"))) == ["b.example"]


def test_a_file_of_another_case_is_no_filter(site: Client, case: Case, other_case: Case) -> None:
    assert site.get(queue_url(case, f"file={other_case.files.get().pk}")).status_code == 400


def test_the_new_filter_shows_what_came_since_the_last_visit(site: Client, case: Case, rui: Person) -> None:
    merge_and_settle(case, row(dns="old.example"), row(dns="young.example"))
    visited = timezone.now() - timedelta(hours=1)
    CaseValue.objects.filter(value="old.example").update(added_at=visited - timedelta(hours=1))
    CaseVisit.objects.create(person=rui, case=case, at=visited)
    page = site.get(queue_url(case, "new=1"))
    assert values_on(page) == ["young.example"]
    assert "since your last visit" in text_of(page)


def test_an_unknown_verdict_is_refused(site: Client, case: Case) -> None:
    assert site.get(queue_url(case, "verdict=maybe")).status_code == 400


def test_each_filter_can_be_dropped_alone(site: Client, case: Case) -> None:
    page = site.get(queue_url(case, "q=a&verdict=undecided")).content.decode()
    assert f'href="/cases/{case.pk}/?q=a" aria-label="Drop the filter verdict undecided"' in page
    assert f'href="/cases/{case.pk}/?verdict=undecided" aria-label="Drop the filter search a"' in page


def test_nothing_left_by_the_filters_says_what_the_case_has(site: Client, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    said = text_of(site.get(queue_url(case, "q=nowhere")))
    assert "No value matches this filter" in said
    assert "The case has 1 value, 1 of them undecided." in said


def test_a_case_without_an_ended_run_says_that_nothing_came_back_yet(site: Client, case: Case) -> None:
    assert "Nothing has come back yet" in text_of(site.get(queue_url(case)))


def test_an_unknown_case_is_not_found(site: Client, db: None) -> None:
    assert site.get("/cases/999999999999999999999/").status_code == 404


def test_what_came_since_the_last_visit_is_new(site: Client, case: Case, rui: Person) -> None:
    merge_and_settle(case, row(dns="old.example"), row(dns="new.example"))
    CaseValue.objects.filter(value="old.example").update(added_at=timezone.now() - timedelta(days=2))
    CaseVisit.objects.create(person=rui, case=case, at=timezone.now() - timedelta(days=1))
    page = site.get(queue_url(case)).content.decode()
    assert _is_new(page, case, "new.example")
    assert not _is_new(page, case, "old.example")


def test_new_rows_stay_new_while_the_reader_works(site: Client, case: Case, rui: Person) -> None:
    CaseVisit.objects.create(person=rui, case=case, at=timezone.now() - timedelta(days=1))
    merge_and_settle(case, row(dns="new.example"))
    site.get(queue_url(case))
    assert _is_new(site.get(queue_url(case)).content.decode(), case, "new.example")


def test_marking_all_seen_ends_the_new(site: Client, case: Case, rui: Person) -> None:
    CaseVisit.objects.create(person=rui, case=case, at=timezone.now() - timedelta(days=1))
    merge_and_settle(case, row(dns="new.example"))
    site.get(queue_url(case))
    answer = site.post(f"/cases/{case.pk}/seen", {"back": "verdict=undecided"})
    assert answer.headers["Location"] == f"/cases/{case.pk}/?verdict=undecided"
    assert not _is_new(site.get(queue_url(case)).content.decode(), case, "new.example")


def test_nothing_is_new_on_the_first_visit(site: Client, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    assert not _is_new(site.get(queue_url(case)).content.decode(), case, "a.example")


def test_a_reader_is_offered_no_decision(reading: Client, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    page = reading.get(queue_url(case)).content.decode()
    assert "a.example" in page
    assert "Allow" not in page
    assert "verdict_as" not in page


def test_a_reader_cannot_open_the_editor_by_address(reading: Client, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    value = value_of(case, "a.example")
    page = reading.get(queue_url(case, f"decide={value.pk}&verdict_as=blocked"))
    assert "data-editor" not in page.content.decode()


def test_unfolding_shows_the_pairs_with_their_files(site: Client, case: Case) -> None:
    merge_and_settle(
        case,
        row("203.0.113.1", "a.example", events=7),
        row("203.0.113.2", "a.example", file="b.exe", events=9),
    )
    value = value_of(case, "a.example")
    said = text_of(site.get(queue_url(case, f"unfold={value.pk}")))
    assert "203.0.113.2" in said
    assert said.index("203.0.113.2") < said.index("203.0.113.1")
    part = site.get(f"/cases/{case.pk}/values/{value.pk}/row?unfold={value.pk}", headers=HTMX)
    assert part.content.decode().count("data-pair") == 2


def test_texts_from_telemetry_are_shown_and_never_run(site: Client, rui: Person) -> None:
    case = open_case(rui, "<img src=x onerror=alert(1)>.exe")
    merge_and_settle(
        case,
        row(
            dns="<script>alert(1)</script>",
            file="<img src=x onerror=alert(1)>.exe",
            device_names=["<b>x</b>"],
        ),
    )
    page = site.get(queue_url(case)).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_hidden_characters_are_shown_as_escapes(site: Client, case: Case) -> None:
    merge_and_settle(case, row(dns="evil\u202egnp.exe/"))
    page = site.get(queue_url(case)).content.decode()
    assert "\u202e" not in page
    assert "\\u202e" in page


def test_a_set_that_was_cut_says_at_least(site: Client, case: Case) -> None:
    names = [f"d{number}" for number in range(26)]
    merge_and_settle(case, row(dns="a.example", devices=40, device_names=names))
    assert "40+" in text_of(site.get(queue_url(case)))


def test_the_page_asks_as_often_for_one_row_as_for_fifty(
    site: Client, case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(case, *(row(f"203.0.113.{number}", f"n{number}.example") for number in range(50)))
    site.get(queue_url(case))
    with django_assert_max_num_queries(16):
        site.get(queue_url(case, "verdict=undecided"))


def test_unfolding_asks_as_often_for_one_pair_as_for_many(
    site: Client, case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(case, *(row(f"203.0.113.{number}", "a.example") for number in range(60)))
    value = CaseValue.objects.get(case=case)
    site.get(queue_url(case))
    with django_assert_max_num_queries(12):
        site.get(f"/cases/{case.pk}/values/{value.pk}/row?unfold={value.pk}", headers=HTMX)


def _is_new(page: str, case: Case, value: str) -> bool:
    group = page.partition(f'id="value-{value_of(case, value).pk}"')[2].partition("data-row")[0]
    assert group
    return "is-new" in group
