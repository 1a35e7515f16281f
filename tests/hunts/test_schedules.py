"""When hunts are due, across every change of the clock."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunts.schedules import MOST_JITTER, BadSchedule, Rhythm, Schedule, jitter_of

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]
CRONS = ["0 6 * * *", "30 2 * * *", "0 */4 * * *", "15 1 1 * *", "0 9 * * MON-FRI", "*/30 * * * *"]
moments = st.integers(1_300_000_000, 2_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
hours = st.builds(Schedule, st.just(Rhythm.HOURS), st.integers(1, 168))
days = st.builds(
    Schedule,
    st.just(Rhythm.DAYS),
    st.integers(1, 90),
    st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
    st.sampled_from(ZONES),
    starts_on=st.dates(date(2010, 1, 1), date(2036, 1, 1)),
)
crons = st.builds(
    Schedule,
    st.just(Rhythm.CRON),
    time_zone=st.sampled_from(ZONES),
    cron=st.sampled_from(CRONS),
)
schedules = st.one_of(hours, days, crons)
BERLIN = Schedule(Rhythm.DAYS, 1, time(2, 30), "Europe/Berlin")


def local(schedule: Schedule, moment: datetime, count: int) -> list[str]:
    return [f"{slot.astimezone(schedule.zone):%d %H:%M}" for slot in islice(schedule.after(moment), count)]


@given(schedules, moments)
def test_times_come_later_and_later(schedule: Schedule, moment: datetime) -> None:
    times = [moment, *islice(schedule.after(moment), 5)]
    assert all(earlier < later for earlier, later in pairwise(times))


def test_a_day_that_a_zone_leaves_out_is_no_second_time() -> None:
    schedule = Schedule(Rhythm.DAYS, 1, time(6), "Pacific/Apia")
    times = list(islice(schedule.after(datetime(2011, 12, 28, 12, tzinfo=UTC)), 4))
    assert len(set(times)) == 4


@given(schedules, moments)
def test_asking_from_a_time_goes_on_with_the_one_after_it(schedule: Schedule, moment: datetime) -> None:
    times = list(islice(schedule.after(moment), 4))
    assert list(islice(schedule.after(times[0]), 3)) == times[1:]


@given(schedules, moments, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_downtime_leaves_the_last_time_that_came(
    schedule: Schedule, moment: datetime, downtime: timedelta
) -> None:
    slot = schedule.next_after(moment)
    now = slot + downtime
    latest = schedule.latest_of(slot, now)
    assert slot <= latest <= now < schedule.next_after(latest)


@given(days, moments)
def test_a_day_has_its_time_at_the_wall_clock_or_what_the_clock_makes_of_it(
    schedule: Schedule, moment: datetime
) -> None:
    slot = schedule.next_after(moment).astimezone(schedule.zone)
    wanted = datetime.combine(slot.date(), schedule.at, tzinfo=schedule.zone)
    exists = wanted.astimezone(UTC).astimezone(schedule.zone).replace(tzinfo=None) == wanted.replace(
        tzinfo=None
    )
    assert slot.fold == 0
    assert slot.time() == schedule.at or not exists


@given(hours, moments)
def test_hours_are_hours_of_utc_whatever_clocks_do(schedule: Schedule, moment: datetime) -> None:
    times = list(islice(schedule.after(moment), 4))
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(hours=schedule.every)}


@given(schedules, st.integers(1, 10**9))
def test_jitter_is_the_same_every_time_and_a_tenth_of_the_pause_at_most(
    schedule: Schedule, hunt: int
) -> None:
    jitter = jitter_of(hunt, schedule)
    assert jitter == jitter_of(hunt, schedule)
    assert timedelta(0) <= jitter <= min(MOST_JITTER, schedule.longest_pause / 10)


@given(schedules)
def test_the_overlap_reaches_over_the_pause(schedule: Schedule) -> None:
    assert timedelta(hours=schedule.overlap_hours) > schedule.longest_pause


def test_hunts_of_one_time_do_not_start_all_at_once() -> None:
    assert len({jitter_of(hunt, BERLIN) for hunt in range(50)}) > 40


def test_a_time_that_the_clock_leaves_out_comes_an_hour_later_that_day() -> None:
    assert local(BERLIN, datetime(2026, 3, 28, 12, tzinfo=UTC), 2) == ["29 03:30", "30 02:30"]


def test_a_time_that_comes_twice_counts_once_the_first_time() -> None:
    moment = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert list(islice(BERLIN.after(moment), 2)) == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]


def test_a_cron_time_that_comes_twice_counts_once() -> None:
    schedule = Schedule(Rhythm.CRON, time_zone="Europe/Berlin", cron="30 2 * * *")
    times = list(islice(schedule.after(datetime(2026, 10, 24, 12, tzinfo=UTC)), 2))
    assert [f"{slot.astimezone(ZoneInfo('Europe/Berlin')):%d %H:%M}" for slot in times] == [
        "25 02:30",
        "26 02:30",
    ]


@pytest.mark.parametrize(
    ("schedule", "overlap"),
    [
        (Schedule(Rhythm.HOURS, 1), 4),
        (Schedule(Rhythm.HOURS, 3), 12),
        (Schedule(Rhythm.HOURS, 12), 48),
        (Schedule(Rhythm.HOURS, 24), 720),
        (BERLIN, 720),
        (Schedule(Rhythm.CRON, cron="0 */3 * * *"), 12),
        (Schedule(Rhythm.CRON, cron="0 6 * * MON"), 720),
    ],
)
def test_the_overlap_follows_the_pause(schedule: Schedule, overlap: int) -> None:
    assert schedule.overlap_hours == overlap


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule(Rhythm.HOURS, 1), "every hour"),
        (Schedule(Rhythm.HOURS, 3), "every 3 hours"),
        (BERLIN, "every day at 02:30 (Europe/Berlin)"),
        (Schedule(Rhythm.DAYS, 7, time(6)), "every 7 days at 06:00 (UTC)"),
        (Schedule(Rhythm.CRON, cron="0 6 * * MON"), "at 06:00 on Monday (UTC)"),
    ],
)
def test_a_schedule_is_said_in_words(schedule: Schedule, words: str) -> None:
    assert schedule.words == words


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("", "Give five fields"),
        ("0 0 1 * * *", "Give five fields"),
        ("99 * * * *", "bad minute"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("* * * * *", "every 15 minutes at most"),
        ("0,14 6 * * *", "every 15 minutes at most"),
        ("0 6 * * MON " + "," * 100, "at most 100 characters"),
    ],
)
def test_a_bad_expression_is_told(cron: str, said: str) -> None:
    with pytest.raises(BadSchedule, match=said) as caught:
        Schedule(Rhythm.CRON, cron=cron)
    assert caught.value.field == "cron"


@given(st.text(max_size=30))
def test_any_text_is_a_schedule_or_told_to_be_none(text: str) -> None:
    with suppress(BadSchedule):
        assert Schedule(Rhythm.CRON, cron=text).words


@pytest.mark.parametrize("rhythm", [Rhythm.HOURS, Rhythm.DAYS])
@pytest.mark.parametrize("every", [0, 1000])
def test_a_number_out_of_bounds_is_told(rhythm: Rhythm, every: int) -> None:
    with pytest.raises(BadSchedule):
        Schedule(rhythm, every)
