"""A due hunt becomes one run, whoever ticks and however late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone
from time_machine import travel

from cases.models import Case
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from hunts.actions import CaseIsClosed
from hunts.due import start_due_hunts
from hunts.models import Hunt, Run, Source
from hunts.schedule_actions import (
    NotScheduled,
    pause_hunt,
    resume_hunt,
    set_schedule,
    start_if_due,
)
from hunts.schedules import Rhythm, Schedule, jitter_of
from hunts.trouble import in_trouble
from tests.cases.world import open_case
from tests.house import FreshDatabase
from tests.roles import person_with

HOURLY = Schedule(Rhythm.HOURS, 1)
THREE_HOURS = Schedule(Rhythm.HOURS, 3)


@pytest.fixture
def rui(db: None) -> Person:
    return person_with(Role.REVIEWER, "rui")


@pytest.fixture
def hunt(rui: Person, valkey: object) -> Hunt:
    case = open_case(rui, "a.exe")
    hunt = Hunt.objects.create(case=case, source=Source.objects.get(slug="local"), opened_by=rui)
    hunt.files.set(case.files.all())
    return hunt


def make_due(hunt: Hunt, late: timedelta = timedelta(minutes=30)) -> Hunt:
    """As if the clock had stood still for so long."""
    hunt.refresh_from_db()
    assert hunt.schedule is not None
    slot = hunt.schedule.next_after(timezone.now() - late - timedelta(hours=1))
    Hunt.objects.filter(pk=hunt.pk).update(next_slot=slot, next_at=slot)
    return hunt


def end_runs(hunt: Hunt, *states: str) -> None:
    for number, state in enumerate(states):
        today = timezone.now().date()
        Run.objects.create(hunt=hunt, slot=f"{number} {state}", state=state, first_day=today, last_day=today)


def test_a_schedule_says_when_the_hunt_is_next(hunt: Hunt, rui: Person) -> None:
    hunt = set_schedule(actor=rui, hunt=hunt, schedule=THREE_HOURS)
    assert hunt.next_slot == THREE_HOURS.next_after(timezone.now())
    assert hunt.next_at == hunt.next_slot + jitter_of(hunt.pk, THREE_HOURS)
    hunt.refresh_from_db()
    assert hunt.schedule == THREE_HOURS


def test_every_change_is_in_the_ledger_before_and_after(hunt: Hunt, rui: Person) -> None:
    set_schedule(actor=rui, hunt=hunt, schedule=THREE_HOURS)
    set_schedule(actor=rui, hunt=hunt, schedule=HOURLY, overlap_hours=6)
    set_schedule(actor=rui, hunt=hunt, schedule=HOURLY, overlap_hours=6)
    pause_hunt(actor=rui, hunt=hunt)
    resume_hunt(actor=rui, hunt=hunt)
    entries = Entry.objects.filter(event__startswith="hunts:hunt:").order_by("seq")
    assert [entry.event for entry in entries] == [
        "hunts:hunt:scheduled",
        "hunts:hunt:changed",
        "hunts:hunt:paused",
        "hunts:hunt:resumed",
    ]
    assert entries[1].content["before"] == {"schedule": "every 3 hours", "overlap_hours": 12}
    assert entries[1].content["after"] == {"schedule": "every hour", "overlap_hours": 6}


def test_a_due_hunt_becomes_one_run_however_late(hunt: Hunt, rui: Person) -> None:
    set_schedule(actor=rui, hunt=hunt, schedule=THREE_HOURS)
    make_due(hunt, timedelta(days=20))
    assert start_due_hunts() == 1
    run = Run.objects.get(hunt=hunt)
    hunt.refresh_from_db()
    assert hunt.next_slot == THREE_HOURS.next_after(timezone.now())
    assert run.slot == f"due {(hunt.next_slot - timedelta(hours=3)).astimezone(UTC).isoformat()}"
    assert run.opened_by is None
    assert start_due_hunts() == 0


def test_a_run_underway_keeps_the_next_one_waiting(hunt: Hunt, rui: Person) -> None:
    set_schedule(actor=rui, hunt=hunt, schedule=HOURLY)
    end_runs(hunt, "running")
    make_due(hunt)
    assert start_due_hunts() == 0
    Run.objects.filter(hunt=hunt).update(state="complete")
    assert start_due_hunts() == 1


@pytest.mark.parametrize("why", ["paused", "closed", "source paused", "not due"])
def test_nothing_is_started_that_is_held_up(hunt: Hunt, rui: Person, why: str) -> None:
    set_schedule(actor=rui, hunt=hunt, schedule=HOURLY)
    if why != "not due":
        make_due(hunt)
    if why == "paused":
        pause_hunt(actor=rui, hunt=hunt)
    if why == "closed":
        Case.objects.update(state=Case.State.CLOSED)
    if why == "source paused":
        Source.objects.update(paused_at=timezone.now())
    assert start_due_hunts() == 0
    assert start_if_due(hunt.pk) is None


def test_a_watching_case_is_asked_by_the_clock(hunt: Hunt, rui: Person) -> None:
    set_schedule(actor=rui, hunt=hunt, schedule=HOURLY)
    make_due(hunt)
    Case.objects.update(state=Case.State.WATCHING)
    assert start_due_hunts() == 1


def test_what_came_due_while_it_was_paused_is_one_run(hunt: Hunt, rui: Person) -> None:
    set_schedule(actor=rui, hunt=hunt, schedule=HOURLY)
    pause_hunt(actor=rui, hunt=hunt)
    make_due(hunt, timedelta(days=2))
    resume_hunt(actor=rui, hunt=hunt)
    assert start_due_hunts() == 1
    assert start_due_hunts() == 0


def test_a_due_run_asks_its_overlap_and_leaves_no_gap(hunt: Hunt, rui: Person) -> None:
    set_schedule(actor=rui, hunt=hunt, schedule=THREE_HOURS)
    today = datetime.now(UTC).date()
    before = Run.objects.create(
        hunt=hunt, slot="1", state="complete", first_day=today, last_day=today - timedelta(days=5)
    )
    make_due(hunt, timedelta(hours=4))
    run = start_if_due(hunt.pk)
    assert run is not None
    assert (run.first_day, run.last_day) == (before.last_day, today)


def test_a_time_that_was_asked_already_is_not_asked_again(hunt: Hunt, rui: Person) -> None:
    set_schedule(actor=rui, hunt=hunt, schedule=HOURLY)
    make_due(hunt)
    hunt.refresh_from_db()
    assert hunt.next_slot is not None
    slot = HOURLY.latest_of(hunt.next_slot, timezone.now())
    end_runs(hunt, "complete")
    Run.objects.update(slot=f"due {slot.astimezone(UTC).isoformat()}")
    assert start_due_hunts() == 0
    hunt.refresh_from_db()
    assert hunt.next_slot > timezone.now()


def test_only_what_is_scheduled_can_be_paused(hunt: Hunt, rui: Person) -> None:
    with pytest.raises(NotScheduled):
        pause_hunt(actor=rui, hunt=hunt)


def test_a_closed_case_takes_no_schedule(hunt: Hunt, rui: Person) -> None:
    Case.objects.update(state=Case.State.CLOSED)
    with pytest.raises(CaseIsClosed):
        set_schedule(actor=rui, hunt=hunt, schedule=HOURLY)


@pytest.mark.parametrize(
    ("states", "is_in_trouble"),
    [
        (("failed", "failed"), False),
        (("failed", "failed", "failed"), True),
        (("failed", "partial", "failed"), True),
        (("failed", "failed", "cancelled", "failed"), True),
        (("failed", "failed", "failed", "complete"), False),
        (("complete", "failed", "failed"), False),
        (("failed", "failed", "failed", "running"), True),
    ],
)
def test_three_failures_in_a_row_are_trouble(
    hunt: Hunt, rui: Person, states: tuple[str, ...], is_in_trouble: bool
) -> None:
    set_schedule(actor=rui, hunt=hunt, schedule=HOURLY)
    end_runs(hunt, *states)
    assert in_trouble(Hunt.objects.all()).exists() == is_in_trouble


def test_two_clocks_that_tick_at_once_open_one_run(
    fresh_database: FreshDatabase, hunt: Hunt, rui: Person
) -> None:
    set_schedule(actor=rui, hunt=hunt, schedule=HOURLY)
    make_due(hunt)
    together, opened = Barrier(4), []

    def tick() -> None:
        together.wait(10)
        opened.append(start_if_due(hunt.pk))
        connection.close()

    threads = [Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len([run for run in opened if run is not None]) == 1
    assert Run.objects.count() == 1


@pytest.mark.parametrize("off", [timedelta(minutes=-10), timedelta(days=1)])
def test_a_worker_whose_clock_is_off_opens_each_due_run_once(hunt: Hunt, rui: Person, off: timedelta) -> None:
    set_schedule(actor=rui, hunt=hunt, schedule=HOURLY)
    make_due(hunt)
    hunt.refresh_from_db()
    slot = hunt.next_slot
    assert slot is not None
    with travel(timezone.now() + off):
        assert start_if_due(hunt.pk) is not None
        Run.objects.update(state=Run.State.COMPLETE)
        assert start_if_due(hunt.pk) is None
    hunt.refresh_from_db()
    assert hunt.next_slot is not None
    # Not a day further: the runs of that day would never be.
    assert slot < hunt.next_slot <= slot + timedelta(hours=3)


def test_taking_the_schedule_away_ends_a_pause_and_says_so(hunt: Hunt, rui: Person) -> None:
    set_schedule(actor=rui, hunt=hunt, schedule=HOURLY)
    pause_hunt(actor=rui, hunt=hunt)
    set_schedule(actor=rui, hunt=hunt, schedule=None)
    content = Entry.objects.latest("seq").content
    assert (content["before"]["paused"], content["after"]["paused"]) == (True, False)
