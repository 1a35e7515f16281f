"""Real processes: a worker is killed in the middle of an import, and two uploads meet at one store."""

from __future__ import annotations

from pathlib import Path

from footprint.accounts.models import Role
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from footprint.waking import wake
from hunts import store_sweep, uploads
from hunts.adapters import store_of
from hunts.models import Source, Upload
from hunts.source_actions import add_source
from hunts.uploads import Announced
from tests.conftest import StartWorker
from tests.house import FreshDatabase, wait_until
from tests.hunts.telemetry_lines import days_ago, event, write_lines
from tests.roles import person_with

SETTINGS = {"FOOTPRINT_LEASE_SECONDS": 2, "FOOTPRINT_HEARTBEAT_SECONDS": 0.5}
ROWS = 60_000


def upload_of(source: Source, path: Path, *names: str) -> Upload:
    """As a form without JavaScript brings it."""
    assert source.owner is not None
    upload = uploads.begin_whole(actor=source.owner, source=source)
    for number, _ in enumerate(names, start=1):
        with uploads.new_file(upload, number) as file:
            file.write(path.read_bytes())
    uploads.take_whole(upload, [Announced(name, path.stat().st_size) for name in names])
    return upload


def state_of(upload: Upload) -> str:
    return Upload.objects.get(pk=upload.pk).state


def sweep_soon() -> None:
    """As the clock does, without waiting for a hint that died with its worker."""
    Upload.objects.filter(state=Upload.State.WAITING).update(hinted_at=None)
    store_sweep.sweep()


def told() -> str:
    """All that is known about the uploads, for whoever reads why the test failed."""
    shown = ("id", "state", "phase", "said", "refusals", "losses", "fence")
    return str(list(Upload.objects.order_by("pk").values(*shown)))


def test_an_import_whose_worker_is_killed_is_done_once_all_the_same(
    fresh_database: FreshDatabase, start_worker: StartWorker, tmp_path: Path
) -> None:
    lea = person_with(Role.LEAD, "lea")
    source = add_source(actor=Actor.command("tests"), slug="killed", kind="local", owner=lea)
    events = (
        event(f"f{number % 50}.exe", days_ago(number % 5), "203.0.113.1", DeviceId=f"d{number}")
        for number in range(ROWS)
    )
    path = write_lines(tmp_path / "x", events)
    first, second = upload_of(source, path, "one.jsonl"), upload_of(source, path, "two.jsonl")
    doomed = start_worker(**SETTINGS)
    store_sweep.hint_work(Upload, [first.pk])

    def is_reading() -> bool:
        upload = Upload.objects.get(pk=first.pk)
        assert upload.state != Upload.State.DONE, "The import was over before the kill: make it longer."
        store_sweep.sweep()
        return upload.phase == "reading"

    wait_until(is_reading, why=lambda: doomed.said()[-2000:])
    doomed.kill()
    assert state_of(first) == Upload.State.WORKING, "The import was over before the kill: make it longer."
    assert store_of(source).imports() == ()

    start_worker(concurrency=2, **SETTINGS)

    def ended() -> bool:
        sweep_soon()
        assert not Upload.objects.filter(state=Upload.State.FAILED).exists(), told()
        return {state_of(first), state_of(second)} == {Upload.State.DONE}

    wait_until(ended, seconds=120, why=told)
    store = store_of(source)
    assert sum(store.days().values()) == ROWS
    assert sorted(record.new_rows for record in store.imports()) == [0, ROWS]
    assert Entry.objects.filter(event="hunts:telemetry:imported").count() == 2
    assert Upload.objects.get(pk=first.pk).losses == 1, told()


def test_work_on_stores_keeps_no_worker_of_other_work(
    fresh_database: FreshDatabase, start_worker: StartWorker, tmp_path: Path
) -> None:
    lea = person_with(Role.LEAD, "lea")
    source = add_source(actor=Actor.command("tests"), slug="queues", kind="local", owner=lea)
    path = write_lines(tmp_path / "x", [event("a.exe", days_ago(0), "203.0.113.1")])
    upload = upload_of(source, path, "one.jsonl")
    other = start_worker(queues="celery", **SETTINGS)
    store_sweep.hint_work(Upload, [upload.pk])
    wake("hunts.tasks.requeue_stale")
    wait_until(lambda: "task_succeeded" in other.said(), why=other.said)
    assert state_of(upload) == Upload.State.WAITING

    start_worker(queues="stores", **SETTINGS)

    wait_until(lambda: state_of(upload) == Upload.State.DONE, why=told)
    assert "import_upload[" not in other.said()
