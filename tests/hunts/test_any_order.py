"""Whatever happens to slices, and in which order, a case ends up with what one clean pass gives.

A model of a source keeps events. Runs over it are planned, claimed, split, lost, given back, answered late
by workers that lost their lease, and repeated, while telemetry arrives late. At the end one more run is
worked off, and its case must hold what a new case holds after a single undisturbed run.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cases.case_actions import FileText
from cases.merging import RowToMerge, settle_unsettled
from footprint.accounts.models import Person
from hunts import claims, runs, slices, sweep
from hunts.actions import LookBack, open_case, open_run
from hunts.claims import Claim, FencedOff
from hunts.kql.plan import PlannedDay, plan_slices
from hunts.kql.window import Window
from hunts.models import Run, Slice, Source
from hunts.slices import Cost
from tests.hunts.conftest import make_person
from tests.hunts.lab_runs import kept
from tests.hunts.telemetry_lines import days_ago

pytestmark = pytest.mark.django_db

LOOK_BACK = 4
COST = Cost("kql", 0, 0, 0.0)
PAIRS = [
    ("192.0.2.1", ""),
    ("192.0.2.1", "a.example"),
    ("192.0.2.1", "A.Example."),
    ("::ffff:192.0.2.1", "a.example"),
    ("192.0.2.2", "b.example"),
    ("", "b.example"),
]


class Recorded(NamedTuple):
    at: datetime
    ip: str
    dns: str
    device: str


recorded_events = st.lists(
    st.builds(
        lambda days, hour, pair, device: Recorded(
            days_ago(days, hour=hour), pair[0], pair[1], f"pc-{device}"
        ),
        st.integers(1, LOOK_BACK - 1),
        st.integers(0, 3),
        st.sampled_from(PAIRS),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=6,
)


class Telemetry:
    """What the source holds, as its answers would have it."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []

    def plan(self, asked: Slice) -> list[PlannedDay]:
        days: dict[date, list[Recorded]] = defaultdict(list)
        for event in self.events:
            days[event.at.date()].append(event)
        return [
            PlannedDay(day, len(those), len({(one.ip, one.dns) for one in those}), len(those))
            for day, those in days.items()
            if asked.first_day <= day <= asked.last_day
        ]

    def rows(self, asked: Slice) -> list[RowToMerge]:
        groups: dict[tuple[date, str, str], list[Recorded]] = defaultdict(list)
        for event in self.events:
            digest = hashlib.md5(f"{event.ip}|{event.dns}".encode(), usedforsecurity=False).hexdigest()
            if asked.first_day <= event.at.date() <= asked.last_day and digest.startswith(asked.part):
                groups[event.at.date(), event.ip, event.dns].append(event)
        return [_row(*group, those) for group, those in groups.items()]


def _row(day: date, ip: str, dns: str, those: Sequence[Recorded]) -> RowToMerge:
    devices = sorted({one.device for one in those})
    return RowToMerge(
        file_kind="name",
        file="beacon.exe",
        day=day,
        ip=ip,
        dns=dns,
        first_seen=min(one.at for one in those),
        last_seen=max(one.at for one in those),
        events=len(those),
        active_hours=len({one.at.hour for one in those}),
        devices=len(devices),
        device_names=devices,
        ports=[443],
        **{
            name: []
            for name in ("actions", "accounts", "hashes", "folders", "publishers", "parents", "command_lines")
        },
    )


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.telemetry = Telemetry()
        self.person: Person = Person.objects.filter(username="rui").first() or make_person()
        self.run = self._open()
        self.claims: list[tuple[Claim, Slice]] = []
        self.zombies: list[tuple[Claim, Slice]] = []

    def _open(self) -> Run:
        return open_case(
            actor=self.person,
            title="A case",
            why="",
            files=[FileText("name", "beacon.exe", "beacon.exe")],
            source=Source.objects.get(slug="local"),
            look_back=LookBack(LOOK_BACK),
        )

    @initialize(events=recorded_events)
    def begin(self, events: list[Recorded]) -> None:
        self.telemetry.events += events

    @rule(events=recorded_events)
    def telemetry_arrives_late(self, events: list[Recorded]) -> None:
        self.telemetry.events += events

    @rule(which=st.integers(0, 100))
    def claim(self, which: int) -> None:
        waiting = self._waiting()
        if waiting:
            chosen = waiting[which % len(waiting)]
            held = claims.claim(chosen.pk, "worker")
            assert held is not None
            assert claims.claim(chosen.pk, "another worker") is None
            self.claims.append((held, chosen))

    @precondition(lambda self: self.claims)
    @rule(which=st.integers(0, 100))
    def answer(self, which: int) -> None:
        self._answer(*self.claims.pop(which % len(self.claims)))

    @precondition(lambda self: self.claims)
    @rule(which=st.integers(0, 100))
    def answer_is_too_large(self, which: int) -> None:
        held, asked = self.claims.pop(which % len(self.claims))
        if len(asked.part) < 2 and Slice.objects.filter(run=asked.run_id).count() < 60:
            slices.split(held, said="too large", timed_out=False)
        else:
            self._answer(held, asked)

    @precondition(lambda self: self.claims)
    @rule(which=st.integers(0, 100))
    def throttled(self, which: int) -> None:
        held, _ = self.claims.pop(which % len(self.claims))
        slices.give_back(held, said="429", wait_seconds=0, counts=False)

    @precondition(lambda self: self.claims)
    @rule(which=st.integers(0, 100))
    def worker_vanishes(self, which: int) -> None:
        held, asked = self.claims.pop(which % len(self.claims))
        if Slice.objects.get(pk=asked.pk).losses + 1 < settings.FOOTPRINT.max_losses:
            Slice.objects.filter(pk=asked.pk).update(lease_until=days_ago(1))
            sweep.sweep()
            self.zombies.append((held, asked))
        else:
            self._answer(held, asked)

    @precondition(lambda self: self.zombies)
    @rule()
    def a_worker_that_lost_its_lease_answers(self) -> None:
        held, asked = self.zombies.pop()
        with pytest.raises(FencedOff):
            self._answer(held, asked)

    @rule()
    def another_run_over_the_same_days(self) -> None:
        if not self._waiting() and not self.claims:
            runs.conclude(self.run.pk)
            self.run = open_run(actor=self.person, hunt=self.run.hunt)

    def teardown(self) -> None:
        self._work_off()
        self.run = open_run(actor=self.person, hunt=self.run.hunt)
        self._work_off()
        disturbed = kept(self.run.hunt.case_id)
        assert self.run.state == Run.State.COMPLETE
        self.run = self._open()
        self._work_off()
        undisturbed = kept(self.run.hunt.case_id)
        assert disturbed == undisturbed
        # Where a day was once asked as a whole, that hides what its parts would have missed.
        self.run = self._open()
        self._work_off(split_days=True)
        assert kept(self.run.hunt.case_id) == undisturbed

    def _work_off(self, *, split_days: bool = False) -> None:
        while self.claims:
            self._answer(*self.claims.pop())
        while waiting := self._waiting():
            held = claims.claim(waiting[0].pk, "worker")
            assert held is not None
            if split_days and waiting[0].purpose == Slice.Purpose.DAYS and not waiting[0].part:
                slices.split(held, said="too large", timed_out=False)
            else:
                self._answer(held, waiting[0])
        runs.conclude(self.run.pk)
        self.run.refresh_from_db()
        settle_unsettled(self.run.hunt.case_id)

    def _answer(self, held: Claim, asked: Slice) -> None:
        if asked.purpose == Slice.Purpose.PLAN:
            self._plan(held, asked)
        else:
            slices.finish_days(held, self.telemetry.rows(asked), COST)

    def _plan(self, held: Claim, asked: Slice) -> None:
        window = Window.days(asked.first_day, asked.last_day)
        slices.finish_plan(held, plan_slices(self.telemetry.plan(asked), window, 4), COST)

    def _waiting(self) -> list[Slice]:
        return list(self.run.slices.filter(state=Slice.State.WAITING).order_by("pk"))


def test_any_order_repetition_split_crash_and_late_data_end_as_one_clean_pass(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("footprint.waking.current_app.send_task", lambda *args, **options: None)
    # Files of imported telemetry have nothing to do with this.
    monkeypatch.setattr("hunts.sweep.store_sweep.sweep", lambda: None)
    run_state_machine_as_test(
        AnyOrder,
        settings=hypothesis_settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
