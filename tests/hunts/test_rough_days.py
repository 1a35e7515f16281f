"""Real processes on bad days: the broker gone or silent, the database restarted, a worker told to stop."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from redis import Redis

from cases.models import CaseValue, Endpoint, Sighting
from footprint.configuration import CHECKOUT
from footprint.embedded import Home
from hunts import hints, sweep
from hunts.models import Run, Slice
from tests.cases.world import merge_only, row
from tests.conftest import WORKER_NUMBER, StartWorker
from tests.house import FreshDatabase, wait_until
from tests.hunts.conftest import OpenRun
from tests.hunts.telemetry_lines import Event, days_ago, event
from tests.line import Line

# Short leases, so that no test waits long; a slice per day, so that there is a middle.
SETTINGS = {
    "FOOTPRINT_LEASE_SECONDS": 3,
    "FOOTPRINT_HEARTBEAT_SECONDS": 1,
    "FOOTPRINT_SLICE_GROUPS": 1,
}
DAYS = 30
EVENTS: list[Event] = [
    event("beacon.exe", days_ago(day, minute=number), f"203.0.113.{number}", f"h{number % 4}.example")
    for day in range(1, DAYS + 1)
    for number in range(1, 5)
]


@pytest.fixture
def run(fresh_database: FreshDatabase, valkey: Redis, open_a_run: OpenRun) -> Run:
    return open_a_run(EVENTS, "beacon.exe", look_back=DAYS + 2)


@pytest.fixture
def line(servers: Home, valkey: Redis) -> Iterator[Line]:
    with Line(servers.valkey_socket) as line:
        yield line


def _broker_over(line: Line) -> dict[str, str]:
    return {"REDIS_URL": f"redis://127.0.0.1:{line.port}/{1 + WORKER_NUMBER % 15}"}


def _days_done(run: Run) -> int:
    return run.slices.filter(state=Slice.State.DONE, purpose=Slice.Purpose.DAYS).count()


def _goes_on(run: Run) -> None:
    done = _days_done(run)
    wait_until(lambda: _days_done(run) > done)
    assert run.slices.unfinished().exists(), "The run was over before it was disturbed: make it longer."


def _in_the_middle(run: Run) -> None:
    wait_until(lambda: _days_done(run) >= 3)
    assert run.slices.unfinished().exists(), "The run was over before it was disturbed: make it longer."


def _has_ended(run: Run) -> bool:
    sweep.sweep()
    return Run.objects.get(pk=run.pk).has_ended


def _completes_undisturbed(run: Run) -> None:
    wait_until(lambda: _has_ended(run))
    run.refresh_from_db()
    assert (run.state, run.reasons) == (Run.State.COMPLETE, [])
    seen = Sighting.objects.values_list("endpoint__dns", "endpoint__ip", "day", "events")
    assert sorted((dns, str(ip), str(day), count) for dns, ip, day, count in seen) == sorted(
        (each["RemoteUrl"], each["RemoteIP"], each["Timestamp"][:10], 1) for each in EVENTS
    )
    assert not Endpoint.objects.unsettled().exists()


def test_a_worker_outlives_a_broker_that_is_restarted_while_it_works(
    run: Run, line: Line, start_worker: StartWorker
):
    worker = start_worker(concurrency=2, **SETTINGS, **_broker_over(line))
    hints.hint_run(run)
    _in_the_middle(run)
    line.cut()
    wait_until(lambda: "Connection to broker lost" in worker.said())
    line.mend()
    _completes_undisturbed(run)
    assert worker.process.poll() is None


def test_a_silent_broker_keeps_nobody_waiting_and_the_sweep_sends_later(
    run: Run, line: Line, fresh_database: FreshDatabase, start_worker: StartWorker
):
    line.silence()
    program = (
        "import django; django.setup(); from hunts import hints; from hunts.models import Run;"
        f" print(hints.hint_run(Run.objects.get(pk={run.pk})))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={**fresh_database.environment, **_broker_over(line)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout
    assert said.split()[-1] == "False"
    assert run.slices.get().hinted_at is None
    line.mend()
    start_worker(**SETTINGS, **_broker_over(line))
    _completes_undisturbed(run)


def test_a_worker_that_is_told_to_stop_ends_what_it_asks_and_loses_nothing(
    run: Run, start_worker: StartWorker
):
    worker = start_worker(**SETTINGS)
    hints.hint_run(run)
    _in_the_middle(run)
    worker.process.terminate()
    assert worker.process.wait(30) == 0
    assert run.slices.unfinished().exists()
    start_worker(**SETTINGS)
    _completes_undisturbed(run)
    assert not run.slices.filter(losses__gt=0).exists()


def test_a_database_that_is_restarted_in_the_middle_loses_and_doubles_nothing(
    run: Run, fresh_database: FreshDatabase, start_worker: StartWorker, servers: Home
):
    worker = start_worker(**SETTINGS)
    hints.hint_run(run)
    for _ in range(3):
        _goes_on(run)
        _end_all_connections(servers, fresh_database.name)
    _completes_undisturbed(run)
    assert worker.process.poll() is None


def _end_all_connections(servers: Home, name: str) -> None:
    """As its clients see a restart: what was not committed is gone. Our own connection goes too."""
    connection.close()
    with servers.connect() as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        ).fetchall()


def test_a_merge_that_outlasts_its_time_fails_with_the_cause_and_is_not_begun_for_ever(
    run: Run, start_worker: StartWorker
):
    short = {"FOOTPRINT_MERGE_TIMEOUT_SECONDS": 10}
    merge_only(run.hunt.case, row("203.0.113.1", "h1.example", file="beacon.exe"))
    hints.hint_run(run)
    # Its answer waits for this row until its time is over.
    with transaction.atomic():
        CaseValue.objects.select_for_update().get(case=run.hunt.case)
        start_worker(**{**SETTINGS, **short, "FOOTPRINT_SLICE_GROUPS": 1_000, "FOOTPRINT_MAX_ATTEMPTS": 1})
        wait_until(lambda: run.slices.filter(state=Slice.State.FAILED).exists())
    failed = run.slices.get(state=Slice.State.FAILED)
    assert (failed.purpose, failed.attempts) == (Slice.Purpose.DAYS, 1)
    assert "statement timeout" in failed.said
    wait_until(lambda: _has_ended(run))
