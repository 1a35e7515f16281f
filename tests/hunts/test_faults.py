"""What a run makes of each fault of a source: real clients over real HTTP, the code of a worker.

In each, the plan is answered and the first question about a day meets the fault. A slice is one day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from redis import Redis

from cases.models import Endpoint
from footprint.ledger.models import Entry
from hunts import asking
from hunts.actions import NothingToRetry, RunUnderway, retry_run
from hunts.models import Coverage, Run, Slice, StagedRows
from tests.hunts.lab_runs import kept, open_at, plan_of, work_off
from tests.hunts.lab_sources import source_at
from tests.hunts.parquet import recorded, write_parquet
from tests.lab.engine import Engine, NotUnderstood, Table
from tests.lab.faults import FOREVER, Kind
from tests.lab.server import Lab

pytestmark = pytest.mark.django_db

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
PARTS = 16


def at(days: int, minute: int = 0) -> datetime:
    return NOON - timedelta(days=days) + timedelta(minutes=minute)


# Names that fold to one endpoint lie in different parts of a day.
ROWS = [
    recorded(
        "beacon.exe",
        f"192.0.2.{number % 4}",
        spelling.format(number % 3),
        at(days, number),
        DeviceId=f"d{number % 5}",
        DeviceName=f"pc-{number % 5}",
        RemotePort=443,
    )
    for days in (1, 2, 3)
    for number in range(12)
    for spelling in ("h{}.example", "H{}.Example.")
]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr("footprint.waking.current_app.send_task", lambda *args, **options: None)
    # It has a connection of its own, which sees nothing of what a test has not committed.
    monkeypatch.setattr("hunts.asking._heartbeat", lambda *args: nullcontext(Event()))
    monkeypatch.setenv("LAB_TOKEN", "a-token")
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(
        update={"allow_http_sources": True, "slice_groups": 1, "ask_timeout_seconds": 20}
    )


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab([write_parquet(tmp_path / "events.parquet", ROWS)]) as lab:
        yield lab


@pytest.fixture
def undisturbed(lab: Lab, valkey: Redis) -> dict[str, Any]:
    run = work_off(open_at(source_at(lab), "beacon.exe", username="una"), valkey)
    assert (run.state, run.reasons) == (Run.State.COMPLETE, [])
    return kept(run.hunt.case_id)


AskWith = Callable[..., Run]


@pytest.fixture
def ask_with(lab: Lab, valkey: Redis) -> AskWith:
    """A run whose first question about a day meets the fault, so many times."""

    def ask(kind: Kind, times: int = 1, value: str = "", source: str = "log_analytics") -> Run:
        run = open_at(source_at(lab, source), "beacon.exe")
        plan_of(run)
        lab.fault(kind, times, value)
        return work_off(run, valkey)

    return ask


PASSING = [
    (Kind.THROTTLED, "10"),
    (Kind.THROTTLED, ""),
    (Kind.CPU_SPENT, ""),
    (Kind.UNAVAILABLE, ""),
    (Kind.GATEWAY_TIMEOUT, ""),
    (Kind.EMPTY, ""),
    (Kind.RESET, ""),
    (Kind.PARTIAL, ""),
    (Kind.EXPIRED, ""),
    (Kind.TRUNCATED, "3"),
]


@pytest.mark.parametrize(("kind", "value"), PASSING)
def test_a_fault_that_passes_leaves_no_trace_in_what_is_kept(
    kind: Kind, value: str, ask_with: AskWith, undisturbed: dict[str, Any]
):
    run = ask_with(kind, 1, value)
    assert (run.state, run.reasons) == (Run.State.COMPLETE, [])
    assert kept(run.hunt.case_id) == undisturbed
    assert coverage_of(run) == {1: "covered", 2: "covered", 3: "covered"}
    assert not StagedRows.objects.exists()


LASTING = [
    (Kind.UNAVAILABLE, "", 3, "ServiceUnavailable"),
    (Kind.EMPTY, "", 3, ""),
    (Kind.RESET, "", 3, "broke off"),
    (Kind.NO_CONTENT, "", 1, "no telemetry"),
    (Kind.WRONG_JSON, "", 3, ""),
    (Kind.NOT_JSON, "", 3, ""),
    (Kind.RENAMED, "Events", 1, "Events"),
    (Kind.NULLS, "", 1, "could not be read"),
]


@pytest.mark.parametrize(("kind", "value", "times", "words"), LASTING)
def test_a_fault_that_lasts_makes_the_run_partial_and_says_which_day(
    kind: Kind, value: str, times: int, words: str, ask_with: AskWith, undisturbed: dict[str, Any]
):
    run = ask_with(kind, times, value)
    assert run.state == Run.State.PARTIAL
    assert at(3).date().isoformat() in run.reasons[0]
    assert words in run.reasons[0]
    assert coverage_of(run) == {1: "covered", 2: "covered", 3: "owed"}
    here = kept(run.hunt.case_id)
    of_the_day = repr(at(3).date())
    assert of_the_day in "".join(undisturbed["sightings"])
    assert here["sightings"] == [each for each in undisturbed["sightings"] if of_the_day not in each]


def test_throttling_costs_no_attempt_however_often_it_comes(ask_with: AskWith):
    run = ask_with(Kind.THROTTLED, 9, "1")
    assert run.state == Run.State.COMPLETE
    assert set(run.slices.values_list("attempts", flat=True)) == {0}


def test_a_throttled_source_is_left_alone_by_every_slice_and_every_run(lab: Lab, valkey: Redis):
    source = source_at(lab)
    run, other = open_at(source, "beacon.exe"), open_at(source, "other.exe", username="una")
    lab.fault(Kind.THROTTLED, 1, "40")
    plan_of(run)
    plan_of(other)
    assert lab.counts.questions == 1
    assert Slice.objects.filter(state=Slice.State.WAITING, not_before__isnull=False).count() == 2


def test_a_gateway_that_lets_everything_time_out_ends_the_run(ask_with: AskWith, lab: Lab):
    run = ask_with(Kind.GATEWAY_TIMEOUT, FOREVER)
    assert run.state == Run.State.FAILED
    assert "8 questions in a row had no answer in time" in " ".join(run.reasons)


def test_defender_gives_no_sign_of_a_cut_and_is_split_by_the_count(tmp_path: Path, valkey: Redis):
    with Lab(
        [write_parquet(tmp_path / "one.parquet", [row for row in ROWS if row["DeviceId"] == "d1"])]
    ) as lab:
        clean = work_off(open_at(source_at(lab, "defender_xdr"), "beacon.exe", look_back=2), valkey)
        lab.graph.max_rows = 3
        cut = source_at(lab, "defender_xdr", options={"max_rows": "3"})
        run = work_off(open_at(cut, "beacon.exe", look_back=2, username="una"), valkey)
    assert run.slices.filter(state=Slice.State.SPLIT).count() == 1
    assert run.state == Run.State.COMPLETE
    assert kept(run.hunt.case_id) == kept(clean.hunt.case_id)


def test_a_part_that_cannot_be_had_makes_its_day_partial(lab: Lab, ask_with: AskWith, valkey: Redis):
    run = open_at(source_at(lab), "beacon.exe")
    plan_of(run)
    lab.fault(Kind.TRUNCATED, 1, "3")
    # The day is split; then its first part fails for good.
    work_first(run)
    lab.fault(Kind.NULLS, PARTS)
    work_until_failed(run, valkey)
    lab.faults.clear()
    work_off(run, valkey)
    assert run.state == Run.State.PARTIAL
    assert "parts could not be had, its numbers are “at least”" in run.reasons[0]
    assert coverage_of(run)[3] == "partial"
    assert Endpoint.objects.filter(case=run.hunt.case_id).exists()


def test_a_retry_of_a_part_makes_the_day_whole(lab: Lab, valkey: Redis, undisturbed: dict[str, Any]):
    run = open_at(source_at(lab), "beacon.exe")
    plan_of(run)
    lab.fault(Kind.TRUNCATED, 1, "3")
    work_first(run)
    lab.fault(Kind.NULLS, PARTS)
    work_until_failed(run, valkey)
    lab.faults.clear()
    work_off(run, valkey)
    before = lab.counts.questions
    retry_run(actor=run.hunt.opened_by, run=run)
    work_off(run, valkey)
    assert (run.state, run.reasons) == (Run.State.COMPLETE, [])
    assert kept(run.hunt.case_id) == undisturbed
    assert lab.counts.questions - before < PARTS
    assert Entry.objects.filter(event="hunts:run:retried").count() == 1
    assert not StagedRows.objects.exists()


def test_an_answer_that_stays_in_part_is_kept_and_called_at_least(ask_with: AskWith):
    run = ask_with(Kind.PARTIAL, 3)
    assert run.state == Run.State.PARTIAL
    assert "answered in part, its numbers are “at least”" in run.reasons[0]
    assert coverage_of(run) == {1: "covered", 2: "covered", 3: "partial"}


def test_a_plan_that_came_in_part_covers_nothing(lab: Lab, valkey: Redis):
    run = open_at(source_at(lab), "beacon.exe")
    lab.fault(Kind.PARTIAL, 3)
    work_off(run, valkey)
    assert run.state == Run.State.FAILED
    assert set(Coverage.objects.filter(hunt=run.hunt).values_list("state", flat=True)) == {"owed"}


def test_a_refusal_ends_the_run_and_pauses_the_source(ask_with: AskWith, valkey: Redis):
    run = ask_with(Kind.FORBIDDEN, FOREVER)
    assert run.state == Run.State.FAILED
    assert "insufficient access" in run.reasons[0]
    run.hunt.source.refresh_from_db()
    assert run.hunt.source.is_paused
    assert "insufficient access" in run.hunt.source.paused_because


def test_a_paused_source_is_not_asked(lab: Lab, ask_with: AskWith, valkey: Redis):
    source = ask_with(Kind.FORBIDDEN, FOREVER).hunt.source
    asked = lab.counts.questions
    run = open_at(source, "beacon.exe", username="una")
    plan_of(run)
    assert lab.counts.questions == asked
    assert run.slices.get().state == Slice.State.WAITING


def test_a_token_that_is_not_believed_twice_is_a_refusal(ask_with: AskWith):
    run = ask_with(Kind.EXPIRED, 2)
    assert run.state == Run.State.FAILED
    run.hunt.source.refresh_from_db()
    assert run.hunt.source.is_paused


def test_a_workspace_that_is_not_there_ends_the_run_and_pauses_the_source(lab: Lab, valkey: Redis):
    lab.log_analytics.workspaces = frozenset({"another"})
    run = work_off(open_at(source_at(lab), "beacon.exe"), valkey)
    assert run.state == Run.State.FAILED
    assert "path does not exist" in run.reasons[0]
    assert set(coverage_of(run).values()) == {"owed"}
    run.hunt.source.refresh_from_db()
    assert "path does not exist" in run.hunt.source.paused_because


def test_a_table_that_is_not_there_fails_the_run_and_covers_nothing(lab: Lab, valkey: Redis):
    lab.engine = _WithoutTheTable()
    run = work_off(open_at(source_at(lab), "beacon.exe"), valkey)
    assert run.state == Run.State.FAILED
    assert "DeviceNetworkEvents" in run.reasons[0]
    assert set(coverage_of(run).values()) == {"owed"}
    run.hunt.source.refresh_from_db()
    assert not run.hunt.source.is_paused


class _WithoutTheTable(Engine):
    def __init__(self) -> None:
        super().__init__([])

    def answer(self, *given: object) -> Table:
        words = "'where' operator: Failed to resolve table or column expression named 'DeviceNetworkEvents'"
        raise NotUnderstood(words, is_syntax=False)


@pytest.mark.parametrize("kind", [Kind.DRIP, Kind.HANG])
def test_a_source_without_an_answer_in_time_is_asked_for_less_and_then_given_up(
    kind: Kind, lab: Lab, valkey: Redis, settings: Any
):
    run = open_at(source_at(lab), "beacon.exe")
    plan_of(run)
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"ask_timeout_seconds": 1})
    lab.fault(kind, FOREVER)
    work_off(run, valkey)
    assert run.state == Run.State.FAILED
    assert "no answer in time" in " ".join(run.reasons) or "within 1 seconds" in " ".join(run.reasons)
    assert lab.counts.questions <= 1 + 10


def test_a_window_over_retention_is_asked_as_far_as_it_is_kept(lab: Lab, valkey: Redis):
    source = source_at(lab, options={"retention_days": "5"})
    run = work_off(open_at(source, "beacon.exe", look_back=10), valkey)
    states = dict(Coverage.objects.filter(hunt=run.hunt).values_list("day", "state"))
    assert [states[at(days).date()] for days in (9, 5, 3)] == ["out of retention"] * 2 + ["covered"]
    assert run.state == Run.State.COMPLETE


def test_thirty_quiet_days_cost_at_most_four_requests(tmp_path: Path, valkey: Redis):
    rows = [recorded("other.exe", "192.0.2.1", "", at(days)) for days in range(30)]
    with Lab([write_parquet(tmp_path / "quiet.parquet", rows)]) as lab:
        run = work_off(open_at(source_at(lab), "beacon.exe", look_back=30), valkey)
        assert run.state == Run.State.COMPLETE
        assert lab.counts.questions <= 4


def test_only_what_failed_is_asked_again(
    ask_with: AskWith, lab: Lab, valkey: Redis, undisturbed: dict[str, Any]
):
    run = ask_with(Kind.RENAMED, 1, "Events")
    before = lab.counts.questions
    retry_run(actor=run.hunt.opened_by, run=run)
    with pytest.raises(RunUnderway):
        retry_run(actor=run.hunt.opened_by, run=run)
    work_off(run, valkey)
    assert (run.state, lab.counts.questions - before) == (Run.State.COMPLETE, 1)
    assert kept(run.hunt.case_id) == undisturbed
    with pytest.raises(NothingToRetry):
        retry_run(actor=run.hunt.opened_by, run=run)


def coverage_of(run: Run) -> dict[int, str]:
    states = dict(Coverage.objects.filter(hunt=run.hunt).values_list("day", "state"))
    return {days: states[at(days).date()] for days in (1, 2, 3)}


def work_first(run: Run) -> None:
    asking.ask_slice(run.slices.filter(state=Slice.State.WAITING).earliest("pk").pk, "worker 1")


def work_until_failed(run: Run, valkey: Redis) -> None:
    """Asks parts until one had rows to be null, and so cannot be read."""
    while not run.slices.filter(state=Slice.State.FAILED).exists():
        part = run.slices.filter(state=Slice.State.WAITING).exclude(part="").earliest("pk")
        asking.ask_slice(part.pk, "worker 1")
