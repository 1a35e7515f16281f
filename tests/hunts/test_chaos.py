"""Six hunts, workers killed at random, the broker emptied twice: nothing is lost or doubled."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable

from redis import Redis

from cases.case_actions import FileText
from cases.models import Endpoint, Sighting
from hunts import hints, sweep
from hunts.actions import LookBack, open_case
from hunts.models import Run, Source
from tests.conftest import StartWorker
from tests.house import FreshDatabase, Started, wait_until
from tests.hunts.conftest import make_person
from tests.hunts.telemetry_lines import Event, days_ago, event

HUNTS = 6
DAYS = 40
KILLS = 5
SETTINGS = {
    "FOOTPRINT_LEASE_SECONDS": 3,
    "FOOTPRINT_HEARTBEAT_SECONDS": 1,
    "FOOTPRINT_SLICE_GROUPS": 1,
    "FOOTPRINT_LOG_LEVEL": "WARNING",
}


def test_every_run_completes_with_the_undisturbed_answer(
    fresh_database: FreshDatabase,
    start_worker: StartWorker,
    valkey: Redis,
    make_source: Callable[[Iterable[Event]], Source],
):
    events = [
        event(
            f"tool{hunt}.exe", days_ago(day, minute=number), f"203.0.113.{number}", f"h{number % 4}.example"
        )
        for hunt in range(HUNTS)
        for day in range(1, DAYS + 1)
        for number in range(1, 4)
    ]
    source, person = make_source(events), make_person()
    runs = [
        open_case(
            actor=person,
            title=f"Case {hunt}",
            why="",
            files=[FileText("name", f"tool{hunt}.exe", f"tool{hunt}.exe")],
            source=source,
            look_back=LookBack(DAYS + 2),
        )
        for hunt in range(HUNTS)
    ]
    for run in runs:
        hints.hint_run(run)
    _disturb([start_worker(**SETTINGS) for _ in range(3)], start_worker, valkey)

    def ended() -> bool:
        sweep.sweep()
        return not Run.objects.underway().exists()

    wait_until(ended, seconds=90)
    found = Run.objects.filter(pk__in=[run.pk for run in runs])
    assert [(run.state, run.reasons) for run in found] == [(Run.State.COMPLETE, [])] * HUNTS
    seen = Sighting.objects.values_list(
        "endpoint__file__key", "endpoint__ip", "endpoint__dns", "day", "events"
    )
    assert sorted((key, str(ip), dns, str(day), count) for key, ip, dns, day, count in seen) == sorted(
        (each["InitiatingProcessFileName"], each["RemoteIP"], each["RemoteUrl"], each["Timestamp"][:10], 1)
        for each in events
    )
    assert not Endpoint.objects.unsettled().exists()


def _disturb(workers: list[Started], start_worker: StartWorker, valkey: Redis) -> None:
    """Until so many workers are killed, or nothing is left to disturb."""
    chance = random.Random(24)
    for number in range(KILLS):
        until = time.monotonic() + chance.uniform(0.2, 1.0)
        while time.monotonic() < until:
            sweep.sweep()
            time.sleep(0.2)
        if not Run.objects.underway().exists():
            assert number > 2, "All was over before much was disturbed: make it longer."
            return
        workers.pop(chance.randrange(len(workers))).kill()
        if number in (1, 3):
            valkey.flushdb()
        workers.append(start_worker(**SETTINGS))
