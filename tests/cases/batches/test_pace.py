from __future__ import annotations

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from cases.batches.pace import Pace


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {"batch_step": 1_000, "batch_step_ms": 100}
    monkeypatch.setattr(settings, "FOOTPRINT", settings.FOOTPRINT.model_copy(update=changed))


def test_a_step_that_was_over_early_makes_the_next_one_longer():
    pace = Pace()
    before = pace.values
    pace.learn(0.05)
    assert pace.values > before


def test_a_step_that_took_too_long_makes_the_next_one_shorter():
    pace = Pace()
    before = pace.values
    pace.learn(0.4)
    assert pace.values < before


def test_a_step_that_took_what_it_may_stays_as_it_is():
    pace = Pace()
    before = pace.values
    pace.learn(0.1)
    assert pace.values == before


def test_no_step_takes_more_than_the_most():
    pace = Pace()
    for _ in range(20):
        pace.learn(0.001)
    assert pace.values == 1_000


def test_the_first_step_keeps_to_a_small_most_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "FOOTPRINT", settings.FOOTPRINT.model_copy(update={"batch_step": 3}))
    pace = Pace()
    pace.learn(60)
    assert pace.values == 3


@given(st.floats(50e-6, 200e-6))
def test_it_comes_to_what_fits_into_the_time(each: float):
    pace = Pace()
    for _ in range(40):
        pace.learn(pace.values * each)
    assert pace.values == pytest.approx(min(0.1 / each, 1_000), rel=0.05)
