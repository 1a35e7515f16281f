from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from cases.batches import answering, deciding, pace, undoing
from cases.batches.actions import approve_batch
from cases.batches.pace import Pace
from cases.models import Case
from footprint.accounts.models import Person, Role
from tests.cases.batches.bulk import decided, undone, worked
from tests.cases.world import merge_and_settle, row
from tests.roles import person_with


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {"batch_step": 1_000, "batch_step_ms": 100}
    monkeypatch.setattr(settings, "FOOTPRINT", settings.FOOTPRINT.model_copy(update=changed))


def test_a_step_that_was_over_early_makes_the_next_one_longer():
    steps = Pace()
    before = steps.values
    steps.learn(0.05)
    assert steps.values > before


def test_a_step_that_took_too_long_makes_the_next_one_shorter():
    steps = Pace()
    before = steps.values
    steps.learn(0.4)
    assert steps.values < before


def test_a_step_that_took_what_it_may_stays_as_it_is():
    steps = Pace()
    before = steps.values
    steps.learn(0.1)
    assert steps.values == before


def test_no_step_takes_more_than_the_most():
    steps = Pace()
    for _ in range(20):
        steps.learn(0.001)
    assert steps.values == 1_000


def test_the_first_step_keeps_to_a_small_most_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "FOOTPRINT", settings.FOOTPRINT.model_copy(update={"batch_step": 3}))
    steps = Pace()
    steps.learn(60)
    assert steps.values == 3


@given(st.floats(50e-6, 200e-6))
def test_it_comes_to_what_fits_into_the_time(each: float):
    steps = Pace()
    for _ in range(40):
        steps.learn(steps.values * each)
    assert steps.values == pytest.approx(min(0.1 / each, 1_000), rel=0.05)


def test_no_step_takes_less_than_the_least():
    steps = Pace()
    for _ in range(20):
        steps.learn(60)
    assert steps.values == 200


def test_a_step_grows_by_half_at_most():
    steps = Pace()
    steps.learn(0)
    assert steps.values == 600


class Clock(SimpleNamespace):
    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wait(self) -> None:
        self.now += 60


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    return clock


def test_a_step_learns_from_its_own_time(clock: Clock):
    steps = Pace()
    clock.wait()
    assert steps.begin() == 400
    clock.now += 0.05
    steps.end()
    assert steps.values == 600


@pytest.fixture
def learned(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What each step learns when all its time goes by in waiting for the lock."""
    for module in (deciding, answering, undoing):
        monkeypatch.setattr(module, "take_verdict_lock", clock.wait)
    seconds: list[float] = []
    monkeypatch.setattr(Pace, "learn", lambda _, took: seconds.append(took))
    return seconds


def test_waiting_for_the_lock_is_no_work(case: Case, rui: Person, learned: list[float]):
    merge_and_settle(case, row("", "a.example"))
    undone(rui, decided(rui, case))
    proposed = decided(person_with(Role.ANALYST, "anneke"), case)
    worked(approve_batch(actor=rui, batch=proposed))
    assert learned
    assert set(learned) == {0.0}
