from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunts.telemetry.times import read_time, read_time_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-07-01T05:42:37Z", "2022-07-01T05:42:37"),
        ("2022-07-01T05:42:37.8790000Z", "2022-07-01T05:42:37.879000"),
        ("2024-08-07T14:39:37.2995901Z", "2024-08-07T14:39:37.299590"),
        ("2022-07-07T12:44:56.20816Z", "2022-07-07T12:44:56.20816"),
        ("2022-07-07T12:44:56.208162", "2022-07-07 12:44:56.208162"),
        ("2022-07-01 05:42:37.5+02:00", "2022-07-01 03:42:37.500000"),
        ("7/1/2022, 5:42:37.879 AM", "2022-07-01 05:42:37.879000"),
        ("12/31/2022, 12:00:00.000 AM", "2022-12-31 00:00:00.000000"),
        ("12/31/2022, 12:05:06 PM", "2022-12-31 12:05:06.000000"),
        ("7/1/2022 17:42:37", "2022-07-01 17:42:37.000000"),
        ("Jul 1, 2022 5:42:37 AM", "2022-07-01 05:42:37.000000"),
        ("Dec 31, 2022 11:59:59.1234567 PM", "2022-12-31 23:59:59.123456"),
        ("7/1/2022, 5:42:37\u202fPM", "2022-07-01 17:42:37.000000"),
    ],
)
def test_every_written_form_is_read_as_utc(text: str, expected: str) -> None:
    assert read_time_text(text) == expected


def test_a_seventh_decimal_is_dropped_not_rounded() -> None:
    assert read_time("2022-07-01T05:42:37.9999999Z") == datetime(2022, 7, 1, 5, 42, 37, 999999, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2022-07-01",
        "2022-13-01T00:00:00Z",
        "31/12/2022, 5:42:37 AM",
        "7/1/2022, 13:42:37 AM",
        "7/1/2022, 0:42:37 PM",
        "Foo 1, 2022 5:42:37 AM",
        "0001-01-01T00:00:00+02:00",
        "1656654157",
        "٧/1/2022, 5:42:37 AM",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the words are Python's in some of these
        read_time(text)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_times(text: str) -> None:
    try:
        read_time_text(text)
    except ValueError:
        return


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # hypothesis wants it bare
def test_times_written_by_either_portal_come_back(time: datetime) -> None:
    half = "AM" if time.hour < 12 else "PM"
    clock = f"{time.hour % 12 or 12}:{time.minute:02}:{time.second:02}.{time.microsecond:06} {half}"
    assert read_time(f"{time.month}/{time.day}/{time.year:04}, {clock}") == time
    assert read_time(f"{time:%b} {time.day}, {time.year:04} {clock}") == time
    assert (
        datetime.fromisoformat(read_time_text(f"{time:%Y-%m-%dT%H:%M:%S.%f}7Z")).replace(tzinfo=UTC) == time
    )
