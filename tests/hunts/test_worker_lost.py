"""Real processes: a worker is killed in the middle of a run, and messages come more than once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cases.models import Endpoint, Sighting
from hunts import hints, sweep
from hunts.models import Run, Slice
from tests.conftest import StartWorker
from tests.house import FreshDatabase, wait_until
from tests.hunts.conftest import OpenRun
from tests.hunts.lab_runs import open_at
from tests.hunts.lab_sources import source_at
from tests.hunts.parquet import recorded, write_parquet
from tests.hunts.telemetry_lines import days_ago, event
from tests.lab.server import Lab

# Short leases, so that the test does not wait long; a slice per day, so that there is a middle.
SETTINGS = {
    "FOOTPRINT_LEASE_SECONDS": 3,
    "FOOTPRINT_HEARTBEAT_SECONDS": 1,
    "FOOTPRINT_SLICE_GROUPS": 1,
}


def test_a_run_completes_undisturbed_after_its_worker_was_killed(
    fresh_database: FreshDatabase, start_worker: StartWorker, open_a_run: OpenRun
):
    events = [
        event(
            "beacon.exe", days_ago(day, minute=number % 60), f"203.0.113.{number}", f"h{number % 7}.example"
        )
        for day in range(1, 13)
        for number in range(1, 40)
    ]
    run = open_a_run(events, "beacon.exe")
    doomed = start_worker(**SETTINGS)
    hints.hint_run(run)
    done = run.slices.filter(state=Slice.State.DONE, purpose=Slice.Purpose.DAYS)
    wait_until(lambda: done.count() >= 3, why=lambda: doomed.said()[-2000:])
    doomed.kill()
    left = run.slices.unfinished().count()
    assert left > 0, "The run was over before the worker was killed: make it longer."

    start_worker(**SETTINGS)

    def ended() -> bool:
        sweep.sweep()
        return Run.objects.get(pk=run.pk).has_ended

    wait_until(ended)
    run.refresh_from_db()
    assert (run.state, run.reasons) == (Run.State.COMPLETE, [])
    pairs = {(dns, str(ip)) for dns, ip in Endpoint.objects.values_list("dns", "ip")}
    assert pairs == {(each["RemoteUrl"], each["RemoteIP"]) for each in events}
    seen = Sighting.objects.values_list("endpoint__dns", "endpoint__ip", "day", "events")
    assert sorted((dns, str(ip), str(day), count) for dns, ip, day, count in seen) == sorted(
        (each["RemoteUrl"], each["RemoteIP"], each["Timestamp"][:10], 1) for each in events
    )
    assert not Endpoint.objects.unsettled().exists()


def test_a_message_that_is_delivered_five_times_is_one_question(
    fresh_database: FreshDatabase,
    start_worker: StartWorker,
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("LAB_TOKEN", "a-token")
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"allow_http_sources": True})
    days = range(1, 5)
    rows = [recorded("beacon.exe", f"192.0.2.{day}", "", days_ago(day)) for day in days]
    with Lab([write_parquet(tmp_path / "events.parquet", rows)]) as lab:
        # So that the five meet while one of them is asking.
        lab.delay_seconds = 0.5
        run = open_at(source_at(lab), "beacon.exe")
        given = {"FOOTPRINT_ALLOW_HTTP_SOURCES": 1, "LAB_TOKEN": "a-token", "FOOTPRINT_SLICE_GROUPS": 1}
        for _ in range(2):
            start_worker(concurrency=3, **given)

        def ended() -> bool:
            for _ in range(5):
                hints.hint_run(run)
            return Run.objects.get(pk=run.pk).has_ended

        wait_until(ended)
        run.refresh_from_db()
        assert (run.state, run.reasons) == (Run.State.COMPLETE, [])
        assert lab.counts.questions == 1 + len(days)
        assert set(run.slices.values_list("questions", "fence")) == {(1, 1)}
        assert list(Sighting.objects.values_list("events", flat=True)) == [1] * len(days)
