"""How often a source is asked, by all workers together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from threading import Event, Timer
from time import monotonic, sleep
from typing import Any

import pytest
from redis import Redis, RedisError

from hunts import asking, claims, hints, limiter, sweep
from hunts.kql.footprint import Dialect
from hunts.limiter import Holder, NoTurn, TurnLost, Use, turn, use_of
from hunts.models import Run, Slice, Source
from tests.conftest import StartWorker
from tests.house import FreshDatabase, wait_until
from tests.hunts.lab_runs import open_at
from tests.hunts.lab_sources import source_at
from tests.hunts.parquet import recorded, write_parquet
from tests.hunts.telemetry_lines import days_ago
from tests.lab.server import Lab

AT_ONCE, PER_30_SECONDS = 2, 7


@pytest.fixture
def source(db: None, valkey: Redis, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr(limiter, "PATIENCE_SECONDS", 0.0)
    return Source.objects.create(
        slug="far", kind="log_analytics", title="Far", at_once=AT_ONCE, per_30_seconds=PER_30_SECONDS
    )


@pytest.fixture
def holding(source: Source) -> Iterator[Any]:
    """Takes turns and keeps them."""
    held = []

    def hold(name: str) -> None:
        one = turn(Holder(source, name), Event())
        one.__enter__()
        held.append(one)

    yield hold
    for one in held:
        one.__exit__(None, None, None)


def test_no_more_at_once_than_the_source_is_set_to(source: Source, holding: Any):
    holding("a")
    holding("b")
    with pytest.raises(NoTurn, match="at most 2 questions at once"):
        holding("c")


def test_the_use_of_a_source_counts_turns_held_and_turns_of_30_seconds(source: Source, holding: Any):
    with turn(Holder(source, "gone"), Event()):
        pass
    holding("here")
    assert use_of(source) == Use(at_once=1, in_30_seconds=2)


def test_the_use_of_a_source_is_unknown_without_the_limiter(source: Source, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limiter._CLIENT, "get", _Gone)
    assert use_of(source) is None


def test_a_turn_that_ends_is_had_by_the_next(source: Source):
    for name in "abc":
        with turn(Holder(source, name), Event()):
            pass


def test_no_more_in_thirty_seconds_than_the_source_is_set_to(source: Source):
    for number in range(PER_30_SECONDS):
        with turn(Holder(source, str(number)), Event()):
            pass
    with pytest.raises(NoTurn) as caught, turn(Holder(source, "one more"), Event()):
        pass
    assert 25 < caught.value.wait_seconds < 36


def test_a_pause_holds_for_everybody(source: Source):
    limiter.pause(source, 40)
    limiter.pause(source, 5)
    with pytest.raises(NoTurn) as caught, turn(Holder(source, "a"), Event()):
        pass
    assert 30 < caught.value.wait_seconds < 45


def test_the_turn_of_a_dead_worker_is_free_again(
    source: Source, holding: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limiter, "TURN_SECONDS", 0.2)
    holding("a")
    holding("b")
    sleep(0.3)
    holding("c")


def test_a_turn_that_is_renewed_is_kept_and_comes_back_after_a_flush(
    source: Source, holding: Any, valkey: Redis
):
    holding("a")
    holding("b")
    valkey.flushdb()
    limiter.renew(Holder(source, "a"))
    limiter.renew(Holder(source, "b"))
    with pytest.raises(NoTurn):
        holding("c")


def test_who_is_not_wanted_any_more_waits_no_longer(source: Source):
    given_up = Event()
    given_up.set()
    with pytest.raises(TurnLost), turn(Holder(source, "a"), given_up):
        pass


def test_a_local_source_is_not_limited(source: Source):
    source.kind = Source.Kind.LOCAL
    for number in range(3 * PER_30_SECONDS):
        with turn(Holder(source, str(number)), Event()):
            pass


def test_after_a_flush_the_database_says_who_asked_lately(source: Source, valkey: Redis):
    run = open_at(source, "beacon.exe")
    held = claims.claim(run.slices.get().pk, "worker 1")
    assert held is not None
    Slice.objects.filter(pk=held.slice_id).update(fence=PER_30_SECONDS)
    with pytest.raises(NoTurn), turn(Holder(source, "another"), Event()):
        pass


class _Gone:
    def eval(self, *given: object) -> None:
        raise RedisError("gone")


def test_without_valkey_a_source_is_asked_slowly(source: Source, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limiter._CLIENT, "get", _Gone)
    monkeypatch.setattr(limiter, "WINDOW_SECONDS", 1.4)
    began = monotonic()
    with turn(Holder(source, "a"), Event()):
        assert monotonic() - began >= 0.2


WORKER = {
    "FOOTPRINT_ALLOW_HTTP_SOURCES": 1,
    "LAB_TOKEN": "a-token",
    "FOOTPRINT_SLICE_GROUPS": 1,
    "FOOTPRINT_LEASE_SECONDS": 10,
    "FOOTPRINT_HEARTBEAT_SECONDS": 1,
}


@pytest.fixture
def beacons(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Lab]:
    """A lab at which one file called out on each of so many days."""
    monkeypatch.setenv("LAB_TOKEN", "a-token")
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(
        update={"allow_http_sources": True, "sweep_seconds": 0.5}
    )

    def lab_of(days: int) -> Lab:
        ages = range(1, days + 1)
        rows = [recorded("beacon.exe", f"192.0.2.{age}", "", days_ago(age)) for age in ages]
        return Lab([write_parquet(tmp_path / "events.parquet", rows)])

    return lab_of


def end_all(*runs: Run, seconds: float) -> None:
    def have_ended() -> bool:
        sweep.sweep()
        return all(run.has_ended for run in Run.objects.filter(pk__in=[run.pk for run in runs]))

    wait_until(have_ended, seconds=seconds)
    for run in runs:
        run.refresh_from_db()
        assert (run.state, run.reasons) == (Run.State.COMPLETE, [])


def test_three_worker_processes_keep_the_limits_also_when_valkey_is_emptied(
    fresh_database: FreshDatabase, start_worker: StartWorker, valkey: Redis, beacons: Callable[[int], Lab]
):
    with beacons(11) as lab:
        lab.delay_seconds = 0.5
        source = source_at(lab, at_once=AT_ONCE, per_30_seconds=PER_30_SECONDS)
        run = open_at(source, "beacon.exe", look_back=14)
        for _ in range(3):
            start_worker(**WORKER)
        hints.hint_run(run)
        wait_until(lambda: lab.counts.questions >= 5)
        valkey.flushdb()
        end_all(run, seconds=90)
        assert lab.counts.questions == 1 + 11
        assert lab.counts.most_at_once <= AT_ONCE
        assert lab.counts.most_within(30) <= PER_30_SECONDS


def test_three_worker_processes_keep_the_limits_of_log_analytics(
    fresh_database: FreshDatabase, start_worker: StartWorker, beacons: Callable[[int], Lab]
):
    """With the numbers that the service gives: more questions than it takes in any thirty seconds."""
    days, hunts = 29, 7
    with beacons(days) as lab:
        lab.delay_seconds = 0.1
        source = source_at(lab)
        assert (source.at_once, source.per_30_seconds) == (4, 200)
        people = (f"rui{number}" for number in range(hunts))
        runs = [open_at(source, "beacon.exe", look_back=days + 3, username=name) for name in people]
        for _ in range(3):
            start_worker(concurrency=2, **WORKER)
        for run in runs:
            hints.hint_run(run)
        end_all(*runs, seconds=150)
        assert lab.counts.questions == hunts * (1 + days)
        assert lab.counts.most_at_once <= 4
        assert lab.counts.most_within(30) <= 200


def test_a_slice_without_a_turn_goes_back_and_pays_nothing(
    source: Source, holding: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("footprint.waking.current_app.send_task", lambda *args, **options: None)
    monkeypatch.setattr("hunts.asking.adapter_for", lambda source: _NeverAsked())
    run = open_at(source, "beacon.exe")
    holding("a")
    holding("b")
    plan = run.slices.get()
    monkeypatch.setattr("hunts.asking._heartbeat", _no_heartbeat)
    asking.ask_slice(plan.pk, "worker 1")
    plan.refresh_from_db()
    assert (plan.state, plan.attempts, plan.questions) == (Slice.State.WAITING, 0, 0)
    assert "at most 2 questions at once" in plan.said
    assert plan.not_before is not None


class _NeverAsked:
    dialect = Dialect("TimeGenerated")


def _no_heartbeat(*given: object) -> Any:
    return nullcontext(Event())


def test_a_cancel_ends_what_stands_in_line_within_five_seconds(
    source: Source, holding: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limiter, "PATIENCE_SECONDS", 60.0)
    holding("a")
    holding("b")
    given_up = Event()
    Timer(1.0, given_up.set).start()
    began = monotonic()
    with pytest.raises(TurnLost), turn(Holder(source, "c"), given_up):
        pass
    assert monotonic() - began < 3
