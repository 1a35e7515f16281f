"""Real processes: a worker is killed in the middle of a bulk decision."""

from __future__ import annotations

from pathlib import Path

from cases.batches.actions import confirm, draft
from cases.batches.hints import hint
from cases.batches.sweep import sweep
from cases.models import Batch, BatchValue, CaseValue, Decision, Verdict
from cases.rebuilding import differences
from footprint.accounts.models import Role
from footprint.ledger.models import Entry
from footprint.ledger.verify import verify
from tests.cases.world import merge_and_settle, open_case, row
from tests.conftest import StartWorker
from tests.house import FreshDatabase, wait_until
from tests.roles import person_with

SETTINGS = {"FOOTPRINT_LEASE_SECONDS": 3, "FOOTPRINT_HEARTBEAT_SECONDS": 1, "FOOTPRINT_BATCH_STEP": 20}
VALUES = 3_000


def test_a_batch_whose_worker_is_killed_decides_each_value_once_all_the_same(
    fresh_database: FreshDatabase, start_worker: StartWorker, tmp_path: Path
) -> None:
    rui = person_with(Role.REVIEWER, "rui")
    case = open_case(rui, "a.exe")
    merge_and_settle(case, *(row(dns=f"h{number}.example") for number in range(VALUES)))
    values = CaseValue.objects.filter(case=case)
    batch = draft(
        actor=rui, case=case, values=values, verdict="blocked", scope="everywhere", reason="Beacons"
    )
    confirm(actor=rui, batch=batch)
    doomed = start_worker(**SETTINGS)
    hint([batch.pk])
    wait_until(lambda: Decision.objects.count() >= 100, why=lambda: doomed.said()[-2000:])
    doomed.kill()
    batch.refresh_from_db()
    assert batch.state == Batch.State.RUNNING, "It was over before the worker was killed: make it longer."
    # What a step did is there as a whole: decisions, verdicts, entries and how far the batch is.
    assert batch.decided == batch.task_done == Decision.objects.count()
    assert values.filter(verdict=Verdict.BLOCKED).count() == batch.decided
    assert Entry.objects.filter(event="cases:decision:made").count() == batch.decided

    start_worker(**SETTINGS)

    def is_over() -> bool:
        sweep()
        return not Batch.objects.get(pk=batch.pk).is_underway

    wait_until(is_over)
    batch.refresh_from_db()
    assert (batch.state, batch.decided, batch.left_alone, batch.losses) == (Batch.State.DONE, VALUES, 0, 1)
    assert Decision.objects.in_force().filter(batch=batch).count() == VALUES
    assert not values.exclude(verdict=Verdict.BLOCKED).exists()
    assert Entry.objects.filter(event="cases:decision:made").count() == VALUES
    assert list(differences()) == []
    verify(file=tmp_path / "no-checkpoints.jsonl")
    wait_until(lambda: not BatchValue.objects.exists())
