from __future__ import annotations

import shutil
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from django.conf import settings
from django.db.models import Sum
from django.utils import timezone
from time_machine import travel

from cases.merging import RowToMerge
from cases.models import Case, CaseValue, Endpoint, Sighting
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from hunts import asking, claims, slices, sweep
from hunts.actions import CaseIsClosed, RunHasEnded, cancel_run, open_run
from hunts.adapters import store_of
from hunts.claims import FencedOff
from hunts.kql.footprint import CAPS as ASKED_CAPS
from hunts.models import Coverage, Run, Slice
from hunts.slices import Cost
from tests.hunts.conftest import OpenRun
from tests.hunts.telemetry_lines import days_ago, event

pytestmark = pytest.mark.django_db

TWO_DAYS = [
    event("Beacon.exe", days_ago(3), "203.0.113.7", "c2.example"),
    event("beacon.exe", days_ago(3, hour=10), "203.0.113.7", "C2.example."),
    event("beacon.exe", days_ago(1), "203.0.113.8"),
    event("other.exe", days_ago(2), "203.0.113.9"),
]


A_ROW = RowToMerge(
    file_kind="name",
    file="beacon.exe",
    day=days_ago(1).date(),
    ip="203.0.113.7",
    dns="",
    first_seen=days_ago(1),
    last_seen=days_ago(1),
    events=1,
    active_hours=1,
    devices=1,
    **{name: [] for name in ASKED_CAPS},
)


def work(run: Run) -> Run:
    """Does all slices in this process, as one worker would."""
    for _ in range(100):
        waiting = run.slices.filter(state=Slice.State.WAITING).first()
        if waiting is None:
            break
        asking.ask_slice(waiting.pk, "worker 1")
    run.refresh_from_db()
    return run


def test_a_run_ends_complete_with_what_the_file_talked_to(open_a_run: OpenRun):
    run = work(open_a_run(TWO_DAYS, "beacon.exe"))
    assert (run.state, run.rows, run.reasons) == (Run.State.COMPLETE, 3, [])
    pairs = set(Endpoint.objects.values_list("dns", "ip"))
    assert {(dns, str(ip)) for dns, ip in pairs} == {("c2.example", "203.0.113.7"), ("", "203.0.113.8")}


def test_rows_that_fold_to_one_endpoint_are_summed(open_a_run: OpenRun):
    work(open_a_run(TWO_DAYS, "beacon.exe"))
    sighting = Sighting.objects.get(endpoint__dns="c2.example")
    assert (sighting.events, sighting.active_hours, sighting.devices) == (2, 2, 1)


def test_days_of_other_files_are_covered_and_empty_days_are_not(open_a_run: OpenRun):
    run = work(open_a_run(TWO_DAYS, "beacon.exe"))
    states = dict(Coverage.objects.filter(hunt=run.hunt).values_list("day", "state"))
    assert states[days_ago(2).date()] == Coverage.State.COVERED
    assert states[days_ago(3).date()] == Coverage.State.COVERED
    assert states[days_ago(4).date()] == Coverage.State.NO_TELEMETRY
    assert len(states) == 30


def test_asking_twice_changes_nothing(open_a_run: OpenRun):
    run = work(open_a_run(TWO_DAYS, "beacon.exe"))
    before = list(Sighting.objects.order_by("pk").values())
    again = work(open_run(actor=opener(run), hunt=run.hunt))
    assert again.state == Run.State.COMPLETE
    assert again.pk != run.pk
    assert list(Sighting.objects.order_by("pk").values()) == before
    assert again.new_endpoints == 0


def test_a_run_underway_is_returned_instead_of_a_second_one(open_a_run: OpenRun):
    run = open_a_run(TWO_DAYS, "beacon.exe")
    assert open_run(actor=opener(run), hunt=run.hunt).pk == run.pk


def test_a_run_that_finds_nothing_on_full_coverage_says_so_in_the_ledger(open_a_run: OpenRun):
    events = [event("other.exe", days_ago(day), "203.0.113.9") for day in range(3)]
    run = work(open_a_run(events, "silent.exe", look_back=3))
    assert run.state == Run.State.COMPLETE
    assert Entry.objects.filter(event="hunts:run:found_nothing", case_number=run.hunt.case_id).count() == 1


def test_nothing_found_with_a_day_without_telemetry_is_no_proof(open_a_run: OpenRun):
    work(open_a_run([event("other.exe", days_ago(1), "203.0.113.9")], "silent.exe", look_back=3))
    assert not Entry.objects.filter(event="hunts:run:found_nothing").exists()


def test_a_claim_is_had_by_one_worker_only(open_a_run: OpenRun):
    plan = open_a_run(TWO_DAYS, "beacon.exe").slices.get()
    assert claims.claim(plan.pk, "worker 1") is not None
    assert claims.claim(plan.pk, "worker 2") is None


def test_a_worker_whose_lease_ran_out_writes_nothing(open_a_run: OpenRun):
    run = open_a_run(TWO_DAYS, "beacon.exe")
    plan = run.slices.get()
    zombie = claims.claim(plan.pk, "worker 1")
    assert zombie is not None
    run_out(plan)
    sweep.sweep()
    heir = claims.claim(plan.pk, "worker 2")
    assert heir is not None
    assert heir.fence > zombie.fence
    with pytest.raises(FencedOff):
        slices.finish_days(zombie, [A_ROW], Cost("", 1, 0, 0))
    assert claims.renew(zombie) is False
    assert not Endpoint.objects.exists()


def test_a_worker_whose_clock_is_a_day_ahead_takes_no_lease_away(open_a_run: OpenRun):
    plan = open_a_run(TWO_DAYS, "beacon.exe").slices.get()
    held = claims.claim(plan.pk, "worker 1")
    assert held is not None
    with travel(timezone.now() + timedelta(days=1)):
        sweep.sweep()
        assert claims.claim(plan.pk, "worker 2") is None
    assert claims.renew(held) is True


def test_a_lost_worker_costs_no_attempt_but_has_a_cap(open_a_run: OpenRun):
    run = open_a_run(TWO_DAYS, "beacon.exe")
    plan = run.slices.get()
    for _ in range(settings.FOOTPRINT.max_losses):
        assert claims.claim(plan.pk, "worker 1") is not None
        run_out(plan)
        sweep.sweep()
    plan.refresh_from_db()
    run.refresh_from_db()
    assert (plan.state, plan.attempts) == (Slice.State.FAILED, 0)
    assert run.state == Run.State.FAILED
    assert "vanished" in run.reasons[0]


def test_three_failed_questions_end_the_slice_with_the_cause(open_a_run: OpenRun):
    run = open_a_run(TWO_DAYS, "beacon.exe")
    plan = run.slices.get()
    for _ in range(3):
        held = claims.claim(plan.pk, "worker 1")
        assert held is not None
        slices.give_back(held, said="no answer in 600 s", wait_seconds=0, counts=True)
    plan.refresh_from_db()
    assert (plan.state, plan.attempts, plan.said) == (Slice.State.FAILED, 3, "no answer in 600 s")


def test_a_throttled_slice_waits_and_pays_nothing(open_a_run: OpenRun):
    plan = open_a_run(TWO_DAYS, "beacon.exe").slices.get()
    held = claims.claim(plan.pk, "worker 1")
    assert held is not None
    slices.give_back(held, said="429", wait_seconds=600, counts=False)
    plan.refresh_from_db()
    assert (plan.state, plan.attempts) == (Slice.State.WAITING, 0)
    assert claims.claim(plan.pk, "worker 2") is None


def test_cancel_ends_what_waits_and_drops_a_late_answer(open_a_run: OpenRun):
    run = open_a_run(TWO_DAYS, "beacon.exe")
    asking.ask_slice(run.slices.get().pk, "worker 1")
    held = claims.claim(run.slices.get(purpose=Slice.Purpose.DAYS).pk, "worker 1")
    assert held is not None
    cancel_run(actor=opener(run), run=run)
    assert claims.renew(held) is False
    slices.finish_days(held, [A_ROW], Cost("", 1, 0, 0))
    sweep.sweep()
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    assert set(run.slices.values_list("state", flat=True)) == {Slice.State.DONE, Slice.State.CANCELLED}
    assert not Endpoint.objects.exists()
    with pytest.raises(RunHasEnded):
        cancel_run(actor=opener(run), run=run)


def test_a_source_that_is_gone_fails_the_run_with_its_words(open_a_run: OpenRun):
    run = open_a_run(TWO_DAYS, "beacon.exe")
    for path in store_files(run):
        path.write_bytes(b"not Parquet any more")
    plan = run.slices.get()
    for _ in range(3):
        Slice.objects.filter(pk=plan.pk).update(not_before=None)
        asking.ask_slice(plan.pk, "worker 1")
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert run.reasons
    assert not Endpoint.objects.exists()


def test_today_is_not_over_and_so_not_proven(open_a_run: OpenRun):
    run = work(open_a_run([*TWO_DAYS, event("beacon.exe", datetime.now(UTC), "203.0.113.7")], "beacon.exe"))
    today = Coverage.objects.get(hunt=run.hunt, day=run.last_day)
    assert today.state == Coverage.State.PARTIAL


def test_a_day_once_covered_stays_so_when_its_telemetry_is_gone(open_a_run: OpenRun):
    run = work(open_a_run(TWO_DAYS, "beacon.exe"))
    shutil.rmtree(store_of(run.hunt.source).folder)
    work(open_run(actor=opener(run), hunt=run.hunt))
    assert Coverage.objects.get(hunt=run.hunt, day=days_ago(3).date()).state == Coverage.State.COVERED


def test_a_plan_that_failed_leaves_its_days_owed(open_a_run: OpenRun):
    run = open_a_run(TWO_DAYS, "beacon.exe")
    held = claims.claim(run.slices.get().pk, "worker 1")
    assert held is not None
    slices.fail(held, said="no such table")
    states = Coverage.objects.filter(hunt=run.hunt).values_list("state", flat=True)
    assert (len(states), set(states)) == (30, {Coverage.State.OWED})


def test_what_goes_wrong_on_our_side_is_named_on_the_slice(
    open_a_run: OpenRun, monkeypatch: pytest.MonkeyPatch
):
    def full(*args: object) -> None:
        raise OSError("No space left on device")

    run = open_a_run(TWO_DAYS, "beacon.exe")
    monkeypatch.setattr("hunts.asking.read_plan", full)
    with pytest.raises(OSError, match="No space left"):
        asking.ask_slice(run.slices.get().pk, "worker 1")
    plan = run.slices.get()
    assert (plan.state, plan.attempts) == (Slice.State.WAITING, 1)
    assert plan.said == "OSError: No space left on device"


def test_a_failed_question_can_be_read(open_a_run: OpenRun):
    run = open_a_run(TWO_DAYS, "beacon.exe")
    for path in store_files(run):
        path.write_bytes(b"not Parquet any more")
    asking.ask_slice(run.slices.get().pk, "worker 1")
    assert '"beacon.exe"' in run.slices.get().kql


def test_nothing_is_asked_for_a_closed_case(open_a_run: OpenRun):
    run = open_a_run(TWO_DAYS, "beacon.exe")
    Case.objects.filter(pk=run.hunt.case_id).update(state=Case.State.CLOSED)
    with pytest.raises(CaseIsClosed):
        open_run(actor=opener(run), hunt=run.hunt)


def test_many_names_are_one_question(open_a_run: OpenRun):
    names = [f"tool{number:04d}.exe" for number in range(500)]
    events = [event(name, days_ago(1), "203.0.113.7") for name in names]
    run = work(open_a_run(events, *names))
    assert run.slices.filter(purpose=Slice.Purpose.DAYS).count() == 1
    assert Endpoint.objects.count() == 500
    assert CaseValue.objects.get().files == 500
    assert Sighting.objects.aggregate(total=Sum("events"))["total"] == 500


def opener(run: Run) -> Person:
    assert run.opened_by is not None
    return run.opened_by


def run_out(each: Slice) -> None:
    Slice.objects.filter(pk=each.pk).update(lease_until=days_ago(1))


def store_files(run: Run) -> list[Path]:
    return list(store_of(run.hunt.source).parquet_files())


@pytest.fixture(autouse=True)
def no_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are the worker themselves; messages would go to nobody."""
    monkeypatch.setattr("footprint.waking.current_app.send_task", lambda *args, **options: None)


@pytest.fixture(autouse=True)
def no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a connection of its own, which sees nothing of what a test has not committed."""
    monkeypatch.setattr("hunts.asking._heartbeat", lambda *args: nullcontext(Event()))
