from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunts.coverage import COVERED, NO_TELEMETRY, OWED, PARTIAL, Part, coverage_of, each_day, says_as_much

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 5)
OVER = date(2026, 11, 6)


def plan(*, done: bool = True, silent: frozenset[date] = frozenset()) -> Part:
    return Part(is_plan=True, is_done=done, first_day=FIRST, last_day=LAST, silent=silent)


def asked(first: int, last: int, *, done: bool) -> Part:
    return Part(False, done, date(2026, 11, first), date(2026, 11, last))


def test_before_the_plan_every_day_is_owed():
    assert set(coverage_of(FIRST, LAST, OVER, [plan(done=False)]).values()) == {OWED}


def test_quiet_days_are_covered_by_the_plan_alone():
    assert set(coverage_of(FIRST, LAST, OVER, [plan()]).values()) == {COVERED}


def test_a_day_is_owed_until_its_slice_is_done():
    states = coverage_of(FIRST, LAST, OVER, [plan(), asked(1, 2, done=True), asked(3, 4, done=False)])
    assert [states[day] for day in each_day(FIRST, LAST)] == [COVERED, COVERED, OWED, OWED, COVERED]


def test_a_day_without_any_row_of_any_file_is_no_telemetry():
    states = coverage_of(FIRST, LAST, OVER, [plan(silent=frozenset({FIRST}))])
    assert states[FIRST] == NO_TELEMETRY


def test_a_second_kind_of_file_keeps_all_days_owed_until_it_is_planned():
    assert set(coverage_of(FIRST, LAST, OVER, [plan(), plan(done=False)]).values()) == {OWED}


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4), st.booleans()), max_size=6))
def test_covered_days_are_exactly_those_with_no_unfinished_slice(spans):
    parts = [asked(first, min(5, first + length), done=done) for first, length, done in spans]
    states = coverage_of(FIRST, LAST, OVER, [plan(), *parts])
    for day in each_day(FIRST, LAST):
        unfinished = any(part.has(day) and not part.is_done for part in parts)
        assert states[day] == (OWED if unfinished else COVERED)


def test_a_day_that_was_not_over_is_covered_in_part():
    states = coverage_of(FIRST, LAST, LAST, [plan()])
    assert (states[date(2026, 11, 4)], states[LAST]) == (COVERED, PARTIAL)


def test_a_day_that_was_not_over_stays_owed_while_it_is_asked():
    assert coverage_of(FIRST, LAST, LAST, [plan(), asked(5, 5, done=False)])[LAST] == OWED


@pytest.mark.parametrize(
    ("state", "known", "replaces"),
    [
        (OWED, None, True),
        (OWED, PARTIAL, False),
        (NO_TELEMETRY, COVERED, False),
        (PARTIAL, COVERED, False),
        (COVERED, PARTIAL, True),
        (COVERED, COVERED, True),
    ],
)
def test_proof_is_only_replaced_by_as_much_proof(state: str, known: str | None, replaces: bool):
    assert says_as_much(state, known) is replaces


def test_each_day_goes_through_both_ends():
    assert list(each_day(FIRST, LAST)) == [FIRST + timedelta(days=n) for n in range(5)]
