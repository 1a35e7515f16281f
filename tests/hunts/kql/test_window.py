from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunts.kql.window import Window

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 3)


def test_whole_days_end_at_the_midnight_after_the_last() -> None:
    window = Window.days(FIRST, LAST)
    assert window.since == datetime(2026, 11, 1, tzinfo=UTC)
    assert window.until == datetime(2026, 11, 4, tzinfo=UTC)


def test_each_day_lists_both_ends() -> None:
    assert list(Window.days(FIRST, LAST).each_day()) == [date(2026, 11, day) for day in (1, 2, 3)]


def test_a_day_that_is_only_touched_counts() -> None:
    window = Window(datetime(2026, 11, 1, 23, 59, tzinfo=UTC), datetime(2026, 11, 2, 0, 0, 1, tzinfo=UTC))
    assert list(window.each_day()) == [date(2026, 11, 1), date(2026, 11, 2)]


def test_an_unbounded_window_has_no_list_of_days() -> None:
    with pytest.raises(ValueError, match="without bounds"):
        list(Window().each_day())


def test_the_last_day_of_the_calendar_can_be_asked() -> None:
    assert Window.days(date.max, date.max).until is None


@pytest.mark.parametrize("days", [0, -1])
def test_a_window_that_ends_before_it_begins_is_refused(days: int) -> None:
    since = datetime(2026, 11, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="ends after"):
        Window(since, since + timedelta(days=days))


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=1))])
def test_a_bound_in_another_zone_is_refused(zone: timezone | None) -> None:
    with pytest.raises(ValueError, match="UTC"):
        Window(datetime(2026, 11, 1, tzinfo=zone))


def test_clipping_keeps_what_both_cover() -> None:
    noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    assert Window.days(FIRST, LAST).clip(Window(noon)) == Window(noon, Window.days(FIRST, LAST).until)
    assert Window().clip(Window(noon)) == Window(noon)


@given(st.dates(), st.integers(0, 400))
def test_the_days_of_a_window_make_the_window_again(first: date, more: int) -> None:
    last = min(date.max - timedelta(days=1), first + timedelta(days=min(more, (date.max - first).days)))
    first = min(first, last)
    days = list(Window.days(first, last).each_day())
    assert Window.days(days[0], days[-1]) == Window.days(first, last)
    assert len(days) == len(set(days)) == (last - first).days + 1
