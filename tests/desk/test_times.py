from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from footprint.desk.times import age, exact_time, lasting, length, short_time, utc_minute

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=23, minutes=59), "23 h"),
        (timedelta(hours=24), "23 Nov 09:30"),
        (timedelta(days=400), "20 Oct 2025 09:30"),
        (timedelta(minutes=-5), "24 Nov 09:35"),
    ],
)
def test_a_time_is_an_age_under_a_day_and_a_date_after(ago: timedelta, said: str) -> None:
    assert short_time(NOW - ago, NOW) == said


def test_the_date_is_the_readers() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Lisbon"))
    assert short_time(late.astimezone(ZoneInfo("Europe/Berlin")), NOW) == "21 Nov 00:30"


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(minutes=6), "6 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=2, hours=5), "2 days ago"),
        (timedelta(seconds=-1), ""),
    ],
)
def test_ages(ago: timedelta, said: str) -> None:
    assert age(NOW - ago, NOW) == said


def test_an_exact_time_has_seconds_and_the_year() -> None:
    assert exact_time(NOW) == "24 Nov 2026 09:30:00"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (4.21, "4.2 s"), (51, "51 s"), (89.4, "89 s"), (600, "10 min"), (8040, "2 h 14 min")],
)
def test_lengths(seconds: float, said: str) -> None:
    assert length(seconds) == said


def test_what_leaves_the_house_names_its_zone() -> None:
    lisbon = datetime(2026, 7, 3, 9, 5, tzinfo=ZoneInfo("Europe/Lisbon"))
    assert utc_minute(lisbon) == "3 Jul 2026 08:05 UTC"


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(0), "0 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=1200), "1,200 days"),
    ],
)
def test_how_long_something_lasts(passed: timedelta, said: str) -> None:
    assert lasting(passed) == said
