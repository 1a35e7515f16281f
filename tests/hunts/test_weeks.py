from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hunts.weeks import DAYS_SHOWN, Calendar, Stretch, calendar_of, not_proven

TODAY = date(2026, 11, 24)
FIRST = TODAY - timedelta(days=29)


def days_back(*back: int) -> list[date]:
    return [TODAY - timedelta(days=each) for each in back]


def covered(days: int = DAYS_SHOWN) -> dict[date, str]:
    return dict.fromkeys((TODAY - timedelta(days=back) for back in range(days)), "covered")


def calendar(states: dict[date, str], *underway: Stretch, first_asked: date = FIRST) -> Calendar:
    return calendar_of(states, underway, first_asked=first_asked, today=TODAY)


def state_of(found: Calendar, day: date) -> str:
    return next(cell.state for week in found.weeks for cell in week.days if cell.day == day)


def test_weeks_begin_on_monday_and_name_the_month_where_it_changes() -> None:
    weeks = calendar(covered()).weeks
    assert all(week.days[0].day.weekday() == 0 and len(week.days) == 7 for week in weeks)
    assert [week.month for week in weeks] == ["Oct", "Nov", "", "", ""]


def test_full_coverage_says_what_it_proves() -> None:
    found = calendar(covered())
    assert found.legend == (("covered", "complete", 30),)
    assert "what is not listed was not recorded" in found.said


def test_a_missing_day_takes_the_proof_away() -> None:
    states = covered() | dict.fromkeys(days_back(5, 18), "owed")
    found = calendar(states)
    assert "6 Nov and 19 Nov could not be asked." in found.said
    assert "not proven for these 2 days" in found.said
    assert ("owed", "missing", 2) in found.legend


def test_a_day_without_telemetry_proves_nothing() -> None:
    assert "nothing is proven there" in not_proven(covered() | dict.fromkeys(days_back(3), "no telemetry"))


def test_a_day_being_asked_is_neither_missing_nor_proven() -> None:
    first, last = days_back(2, 1)
    states = covered() | {first: "owed", last: "owed"}
    found = calendar(states, Stretch(first, last, is_asking=True))
    assert state_of(found, last) == "asking"
    assert "still being asked" in found.said
    assert "could not" not in found.said


def test_a_waiting_slice_beside_an_asking_one_shows_as_asking() -> None:
    (day,) = days_back(1)
    both = [Stretch(day, day, is_asking=False), Stretch(day, day, is_asking=True)]
    assert state_of(calendar({}, *both), day) == "asking"
    assert state_of(calendar({}, *reversed(both)), day) == "asking"


def test_a_covered_day_asked_again_stays_covered() -> None:
    (day,) = days_back(1)
    assert state_of(calendar(covered(), Stretch(day, day, is_asking=True)), day) == "covered"


def test_days_before_the_ones_shown_are_counted() -> None:
    states = covered(90) | dict.fromkeys(days_back(40), "owed")
    found = calendar(states, first_asked=TODAY - timedelta(days=89))
    assert (found.older, found.older_lacking) == (60, 1)


def test_nothing_asked_says_so() -> None:
    assert "nothing is proven" in calendar({}).said


@given(
    st.dictionaries(
        st.dates(TODAY - timedelta(days=60), TODAY),
        st.sampled_from(["covered", "owed", "partial", "no telemetry", "out of retention"]),
    )
)
def test_every_shown_day_stands_in_the_legend_once(states: dict[date, str]) -> None:
    found = calendar(states)
    shown = [day for day in states if FIRST <= day <= TODAY]
    assert sum(days for _, _, days in found.legend) == len(shown)
    assert all(state_of(found, day) == states[day] for day in shown)
