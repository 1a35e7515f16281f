from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from footprint.desk.coverage_told import coverage_told, day_ranges
from hunts.coverage import each_day

TODAY = date(2026, 11, 24)
STATES = ["covered", "partial", "owed", "no telemetry", "out of retention"]


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_days_that_follow_each_other_are_one_range() -> None:
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 3), date(2026, 1, 4), date(2026, 2, 1)]
    assert day_ranges(days) == "31 Dec 2025 – 1 Jan 2026, 3 Jan – 4 Jan 2026, 1 Feb 2026"


def test_what_was_never_asked_is_said() -> None:
    told = coverage_told({ago(1): "covered"}, first_asked=ago(3), today=TODAY)
    assert [(line.words, line.count, line.days) for line in told.lines] == [
        ("complete", 1, "23 Nov 2026"),
        ("never asked", 3, "21 Nov – 22 Nov 2026, 24 Nov 2026"),
    ]
    assert "3 days were never asked, so nothing is proven there." in told.said
    assert "Nothing before 21 Nov 2026 was asked." in told.said
    assert not told.is_full


def test_it_is_full_when_every_day_that_was_over_is_complete() -> None:
    states = {ago(2): "covered", ago(1): "covered", TODAY: "partial"}
    assert coverage_told(states, first_asked=ago(2), today=TODAY).is_full
    assert not coverage_told({**states, ago(1): "owed"}, first_asked=ago(2), today=TODAY).is_full


def test_nothing_asked_is_never_full() -> None:
    assert not coverage_told({}, first_asked=TODAY, today=TODAY).is_full


@given(st.dictionaries(st.integers(0, 40).map(ago), st.sampled_from(STATES)), st.integers(0, 30))
def test_every_day_is_in_exactly_one_line_and_complete_means_covered(
    states: dict[date, str], look_back: int
) -> None:
    told = coverage_told(states, first_asked=ago(look_back), today=TODAY)
    assert sum(line.count for line in told.lines) == len(list(each_day(told.first, told.last)))
    complete = sum(line.count for line in told.lines if line.words == "complete")
    assert complete == sum(1 for state in states.values() if state == "covered")
    if told.is_full:
        assert all(states.get(day) == "covered" for day in each_day(told.first, ago(1)))
