from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunts.kql.cells import UnreadableCell
from hunts.kql.plan import Plan, PlannedDay, PlannedSlice, plan_slices, read_plan
from hunts.kql.window import Window

START = date(2026, 11, 1)


def day(offset: int) -> date:
    return START + timedelta(days=offset)


def busy(offset: int, groups: int) -> PlannedDay:
    return PlannedDay(day(offset), rows=groups * 2, groups=groups, recorded=groups * 3)


def quiet(offset: int) -> PlannedDay:
    return PlannedDay(day(offset), rows=0, groups=0, recorded=7)


def plan(*days: PlannedDay, length: int, max_groups: int = 100) -> Plan:
    return plan_slices(days, Window.days(START, day(length - 1)), max_groups)


def test_small_days_are_asked_together_up_to_the_limit() -> None:
    made = plan(busy(0, 50), busy(1, 50), busy(2, 1), length=3)
    assert made.slices == (PlannedSlice(day(0), day(1), 100), PlannedSlice(day(2), day(2), 1))


def test_a_day_over_the_limit_is_asked_alone() -> None:
    made = plan(busy(0, 1), busy(1, 101), busy(2, 1), length=3)
    assert [(each.first, each.last) for each in made.slices] == [(day(n), day(n)) for n in range(3)]


def test_quiet_days_need_no_question() -> None:
    made = plan(*(quiet(number) for number in range(30)), length=30)
    assert made == Plan(tuple(day(number) for number in range(30)), (), ())


def test_a_quiet_day_between_busy_ones_is_asked_with_them() -> None:
    made = plan(quiet(0), busy(1, 1), quiet(2), busy(3, 1), quiet(4), length=5)
    assert made.slices == (PlannedSlice(day(1), day(3), 2),)
    assert made.quiet == (day(0), day(4))


def test_a_day_without_telemetry_ends_a_slice() -> None:
    made = plan(busy(0, 1), busy(2, 1), length=3)
    assert made.silent == (day(1),)
    assert len(made.slices) == 2


def test_a_quiet_day_beside_a_silent_one_is_quiet() -> None:
    made = plan(busy(0, 1), quiet(1), busy(3, 1), length=4)
    assert made.quiet == (day(1),)
    assert made.silent == (day(2),)


def test_days_outside_the_window_are_left_out() -> None:
    made = plan(busy(-1, 1), busy(5, 1), length=1)
    assert made == Plan((), (day(0),), ())


def test_a_window_without_bounds_lists_no_silent_days_and_asks_over_them() -> None:
    made = plan_slices([busy(0, 1), quiet(9), busy(900_000, 1), quiet(900_001)], Window(), 100)
    assert made == Plan((day(900_001),), (), (PlannedSlice(day(0), day(900_000), 2),))


DAYS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 1000), st.integers(0, 150)), unique_by=lambda each: each[0]
)


@given(DAYS, st.integers(1, 45), st.integers(1, 300))
def test_every_day_is_in_exactly_one_place(
    drawn: list[tuple[int, int, int]], length: int, max_groups: int
) -> None:
    days = [
        PlannedDay(day(n), rows=groups, groups=groups, recorded=more + groups) for n, more, groups in drawn
    ]
    window = Window.days(START, day(length - 1))
    made = plan_slices(days, window, max_groups)
    in_slices = [each for part in made.slices for each in Window.days(part.first, part.last).each_day()]
    assert sorted([*made.quiet, *made.silent, *in_slices]) == list(window.each_day())
    for part in made.slices:
        assert part.groups <= max_groups or part.first == part.last
        inside = [planned for planned in days if part.first <= planned.day <= part.last]
        assert part.groups == sum(planned.groups for planned in inside)
        assert all(planned.recorded for planned in inside)
    assert list(made.slices) == sorted(made.slices)
    assert {planned.day for planned in days if planned.rows} & set(made.quiet) == set()


def test_a_plan_is_read_from_typed_and_from_text_cells() -> None:
    rows = [("2026-11-02T00:00:00.0000000Z", "3", "2", "9"), (datetime(2026, 11, 1, tzinfo=UTC), 0, 0, 4)]
    assert read_plan(rows) == [PlannedDay(day(0), 0, 0, 4), PlannedDay(day(1), 3, 2, 9)]


def test_a_plan_of_nonsense_is_refused() -> None:
    with pytest.raises(UnreadableCell):
        read_plan([(None, 1, 1, 1)])
