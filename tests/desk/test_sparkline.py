from __future__ import annotations

import re
from datetime import date, timedelta

from footprint.desk.sparkline import sparkline

TODAY = date(2026, 11, 24)


def days_of(drawn: str, css: str) -> list[int]:
    """The places, 0 to 29, that are drawn in this way."""
    path = re.search(rf'<path class="{css}" d="([^"]*)"', drawn)
    return [int(x) // 4 for x in re.findall(r"M(\d+) ", path[1])] if path else []


def test_it_says_on_how_many_of_the_last_days_something_was_seen() -> None:
    drawn = sparkline([0, 5, 0, 7], TODAY, today=TODAY)
    assert 'aria-label="Seen on 2 of 30 days"' in drawn
    assert len(days_of(drawn, "bar")) == 2
    assert len(days_of(drawn, "quiet")) == 28


def test_days_that_are_not_covered_are_told_and_drawn() -> None:
    gaps = {TODAY, TODAY - timedelta(days=3)}
    drawn = sparkline([1], TODAY, today=TODAY, gaps=gaps)
    assert "Seen on 1 of 30 days, 1 not covered" in drawn
    assert days_of(drawn, "gap") == [26]


def test_a_strip_that_ended_earlier_moves_left() -> None:
    drawn = sparkline([9], TODAY - timedelta(days=10), today=TODAY)
    assert days_of(drawn, "bar") == [19]


def test_a_strip_that_ended_long_ago_is_quiet() -> None:
    drawn = sparkline([9] * 30, TODAY - timedelta(days=90), today=TODAY)
    assert "Seen on 0 of 30 days" in drawn
    assert days_of(drawn, "bar") == []


def test_days_since_the_last_visit_have_their_own_bar() -> None:
    drawn = sparkline([1, 1, 1], TODAY, today=TODAY, fresh_from=TODAY - timedelta(days=1))
    assert days_of(drawn, "bar is-fresh") == [28, 29]
    assert days_of(drawn, "bar") == [27]


def test_the_busiest_day_is_the_highest_and_one_event_is_still_seen() -> None:
    drawn = sparkline([1_000_000, 1], TODAY, today=TODAY)
    assert re.findall(r"20v-(\d+)h3", drawn) == ["19", "2"]
