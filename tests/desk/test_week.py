from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from cases.actions import undo
from cases.models import Case, CaseValue, Decision
from cases.proposal_actions import reject, take_back
from cases.state_actions import change_state
from footprint.accounts.models import Person, Role
from footprint.desk.week import IsoWeek, week_numbers
from footprint.desk.week_bars import week_bars
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.roles import person_with

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
WEEK = IsoWeek(date(2026, 11, 23))


@pytest.fixture
def case(rui: Person) -> Case:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"), row(dns="c.example"))
    CaseValue.objects.update(added_at=NOW - timedelta(days=1))
    return case


def came(value: str, moment: datetime) -> None:
    CaseValue.objects.filter(value=value).update(added_at=moment)


def decided(rui: Person, case: Case, value: str, moment: datetime, verdict: str = "blocked") -> Decision:
    decision = decide_on(rui, case, value, verdict)
    Decision.objects.filter(pk=decision.pk).update(made_at=moment)
    return decision


def test_new_values_are_counted_on_the_day_they_came(case: Case) -> None:
    came("a.example", datetime(2026, 11, 23, 0, tzinfo=UTC))
    came("b.example", datetime(2026, 11, 22, 23, 59, tzinfo=UTC))
    assert list(week_numbers(WEEK, NOW).new) == [1, 1, 0, 0, 0, 0, 0]


def test_decisions_are_counted_by_day_and_person(case: Case, rui: Person) -> None:
    decided(rui, case, "a.example", NOW)
    decided(rui, case, "b.example", NOW - timedelta(days=2), "allowed")
    decided(rui, case, "c.example", NOW - timedelta(days=3))
    numbers = week_numbers(WEEK, NOW)
    assert list(numbers.decided) == [1, 0, 1, 0, 0, 0, 0]
    assert [(each.name, each.allowed, each.blocked) for each in numbers.people] == [("Rui Alves", 1, 1)]


def test_the_median_is_of_first_decisions_alone(case: Case, rui: Person) -> None:
    for hours, value in ((1, "a.example"), (3, "b.example"), (20, "c.example")):
        came(value, NOW - timedelta(days=1))
        decided(rui, case, value, NOW - timedelta(days=1) + timedelta(hours=hours))
    decided(rui, case, "a.example", NOW, "allowed")
    numbers = week_numbers(WEEK, NOW)
    assert (numbers.median_seconds, numbers.median_of) == (3 * 3600, 3)


@pytest.fixture
def ana(db: None) -> Person:
    return person_with(Role.REVIEWER, "ana")


def test_what_was_taken_back_or_rejected_was_not_decided(case: Case, ana: Person) -> None:
    lou = person_with(Role.ANALYST, "lou")
    back, no = (decide_on(lou, case, value) for value in ("a.example", "b.example"))
    take_back(actor=lou, proposal=back.proposals.get())
    reject(actor=ana, proposal=no.proposals.get(), reason="It is ours")
    Decision.objects.update(made_at=NOW)
    numbers = week_numbers(WEEK, NOW)
    assert (numbers.decided_total, numbers.median_of) == (0, 0)
    assert sum(each.blocked for each in numbers.people) == 0


def test_the_median_begins_anew_after_what_was_taken_back(case: Case, rui: Person) -> None:
    lou = person_with(Role.ANALYST, "lou")
    take_back(actor=lou, proposal=decide_on(lou, case, "a.example").proposals.get())
    decided(rui, case, "a.example", NOW)
    assert week_numbers(WEEK, NOW).median_of == 1


def test_what_an_undo_makes_again_is_no_decision_of_that_day(case: Case, rui: Person, ana: Person) -> None:
    decided(rui, case, "a.example", NOW - timedelta(days=30))
    mine = decided(ana, case, "a.example", NOW, "allowed")
    again = undo(actor=ana, decision=mine).remade
    assert again is not None
    Decision.objects.filter(pk=again.pk).update(made_at=NOW)
    numbers = week_numbers(WEEK, NOW)
    assert [(each.name, each.allowed, each.blocked) for each in numbers.people] == [(str(ana), 1, 0)]


def test_the_median_of_nothing_is_unknown(case: Case) -> None:
    numbers = week_numbers(WEEK, NOW)
    assert (numbers.median_seconds, numbers.median_of) == (None, 0)


def test_the_oldest_undecided_value_of_a_live_case(case: Case, rui: Person) -> None:
    closed = open_case(rui, "a.exe")
    merge_and_settle(closed, row(dns="older.example"))
    came("older.example", NOW - timedelta(days=90))
    Case.objects.filter(pk=closed.pk).update(state="closed")
    came("b.example", NOW - timedelta(days=9))
    oldest = week_numbers(WEEK, NOW).oldest
    assert oldest is not None
    assert oldest.value == "b.example"


def test_what_expires_until_the_end_of_the_next_week(case: Case, rui: Person) -> None:
    ends = {
        "a.example": datetime(2026, 12, 6, 23, tzinfo=UTC),
        "b.example": datetime(2026, 12, 7, 1, tzinfo=UTC),
        "c.example": datetime(2026, 11, 26, tzinfo=UTC),
    }
    for value, moment in ends.items():
        Decision.objects.filter(pk=decide_on(rui, case, value).pk).update(expires_at=moment)
    expiring = week_numbers(WEEK, NOW).expiring
    assert [each.subject for each in expiring.listed] == ["c.example", "a.example"]
    assert expiring.total == 2


def test_cases_opened_and_closed_are_told_with_who(case: Case, rui: Person) -> None:
    change_state(actor=rui, case=case, version=case.version, state="closed", reason="Done")
    today = datetime.now(UTC)
    numbers = week_numbers(IsoWeek.of(today.date()), today)
    assert [(move.what, move.who) for move in numbers.moves] == [
        ("opened", "Rui Alves"),
        ("closed", "Rui Alves"),
    ]
    assert (numbers.opened, numbers.closed) == (1, 1)


def test_the_page_shows_the_numbers(site: Client, case: Case, rui: Person) -> None:
    decide_on(rui, case, "a.example")
    said = text_of(site.get("/week/"))
    assert "this week goes on" in said
    assert "Rui Alves 0 1 0 0" in said
    assert "Who does it talk to?" in said


def test_the_week_before_is_a_link_and_the_coming_one_is_none(site: Client) -> None:
    this = IsoWeek.of(datetime.now(UTC).date())
    page = site.get("/week/").content.decode()
    assert f'href="?week={this.moved(-1).name}" rel="prev"' in page
    assert 'rel="next"' not in page
    before = site.get(f"/week/?week={this.moved(-1).name}").content.decode()
    assert f'href="?week={this.name}" rel="next"' in before


@pytest.mark.parametrize(
    "asked", ["x", "2026-W54", "2026-W00", "2026-47", "9999-W01", "1970-W01", "2026-W1 ", "２０２６-W47"]
)
def test_a_made_up_week_is_refused(site: Client, asked: str) -> None:
    assert site.get("/week/", {"week": asked}).status_code == 400


@given(st.dates(date(1971, 1, 1), date(2200, 1, 1)))
def test_a_week_is_read_as_it_is_written(day: date) -> None:
    week = IsoWeek.of(day)
    assert IsoWeek.read(week.name) == week
    assert week.first <= day <= week.last


@given(*[st.lists(st.integers(0, 10**9), min_size=7, max_size=7)] * 2)
def test_bars_never_leave_the_picture(new: list[int], decided: list[int]) -> None:
    drawn = week_bars(new, decided, WEEK.first, WEEK.last)
    assert 'y="-' not in drawn
    assert drawn.count("<rect") == 14


def test_a_day_that_has_not_come_has_no_bar() -> None:
    assert week_bars([1] * 7, [1] * 7, WEEK.first, WEEK.first + timedelta(days=1)).count("<rect") == 4


def test_bars_say_their_numbers_in_words() -> None:
    drawn = week_bars([0, 5, 0, 0, 0, 0, 0], [0] * 7, WEEK.first, WEEK.last)
    assert 'aria-label="By day: 5 new, most on Tue 24 Nov; none decided"' in drawn


def test_the_page_asks_as_often_for_one_case_as_for_many(
    site: Client, rui: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        case = open_case(rui, "a.exe")
        merge_and_settle(case, row(dns="a.example"))
        decide_on(rui, case, "a.example", scope="case")
    with django_assert_max_num_queries(16):
        site.get("/week/")
