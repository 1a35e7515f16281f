"""Whoever asks a source without a slice stands in line with all others; counted by the lab."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from cases.models import Case
from footprint.accounts.models import Role
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from hunts import lookups, probing
from hunts.in_turn import InTurn
from hunts.kql.plan import newest_query
from hunts.kql.window import Window
from hunts.limiter import Holder, NoTurn, turn, use_of
from hunts.lookups import ask_look_up
from hunts.models import LookUp, Source
from hunts.source_actions import wish_for_probe
from hunts.sources.errors import Throttled
from tests.house import FreshDatabase, Processes
from tests.hunts.lab_runs import open_at
from tests.hunts.lab_sources import source_at
from tests.hunts.parquet import recorded, write_parquet
from tests.hunts.telemetry_lines import days_ago
from tests.lab.faults import FOREVER, Kind
from tests.lab.server import Lab
from tests.roles import person_with


@pytest.fixture
def lab(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"allow_http_sources": True})
    monkeypatch.setenv("LAB_TOKEN", "a-token")
    rows = [recorded("beacon.exe", f"192.0.2.{days}", "evil.example", days_ago(days)) for days in range(1, 4)]
    with Lab([write_parquet(tmp_path / "events.parquet", rows)]) as lab:
        yield lab


@pytest.fixture
def source(db: None, lab: Lab, valkey: Redis) -> Source:
    return source_at(lab, at_once=1)


@pytest.fixture
def busy(source: Source, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    """Somebody asks the source the whole time."""
    monkeypatch.setattr("hunts.limiter.PATIENCE_SECONDS", 0.0)
    with ExitStack() as stack:
        stack.enter_context(turn(Holder(source, "somebody"), Event()))
        yield stack


def newest(source: Source, patience: float = 0.0) -> object:
    asked = InTurn(source, patience=patience)
    return list(asked.ask(newest_query(asked.dialect), Window(), timeout=10).rows)


def asked_case(source: Source) -> Case:
    return open_at(source, "beacon.exe").hunt.case


def look_up_of(case: Case) -> LookUp:
    look = ask_look_up(
        actor=case.owner, case=case, question="talkers", subject_kind="name", subject="evil.example"
    )
    lookups.look_up(look.pk)
    look.refresh_from_db()
    return look


def test_every_question_takes_a_turn_and_gives_it_back(source: Source, lab: Lab) -> None:
    newest(source)
    newest(source)
    use = use_of(source)
    assert use is not None
    assert (use.at_once, use.in_30_seconds, lab.counts.questions) == (0, 2, 2)


def test_without_a_turn_nothing_is_sent(source: Source, lab: Lab, busy: ExitStack) -> None:
    with pytest.raises(NoTurn, match="at most 1 questions at once"):
        newest(source)
    assert lab.counts.questions == 0


def test_who_is_patient_has_the_next_turn(source: Source, lab: Lab, busy: ExitStack) -> None:
    waits = iter([busy.close])

    def one_ends(seconds: float) -> None:
        next(waits)()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hunts.in_turn.sleep", one_ends)
        newest(source, patience=60.0)
    assert lab.counts.questions == 1


def test_what_throttles_one_is_left_alone_by_all(source: Source, lab: Lab) -> None:
    lab.fault(Kind.THROTTLED, value="40")
    with pytest.raises(Throttled):
        newest(source)
    with pytest.raises(NoTurn) as caught:
        newest(source)
    assert 30 < caught.value.wait_seconds < 45
    assert lab.counts.questions == 1


def test_a_test_passes_the_limiter_with_each_of_its_questions(source: Source, lab: Lab) -> None:
    assert probing.probe_source(source, actor=Actor.command("tests")).passed
    use = use_of(source)
    assert use is not None
    assert use.in_30_seconds == lab.counts.questions > 1


def test_a_test_without_a_turn_is_done_later_and_keeps_what_is_known(
    source: Source, lab: Lab, busy: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(probing, "wake", lambda *given, after_seconds: sent.append((*given, after_seconds)))
    monkeypatch.setattr(probing, "_PATIENCE_SECONDS", 0.0)
    lea = person_with(Role.LEAD, "lea")
    wish_for_probe(source)
    probing.answer_wish(source.pk, lea.pk)
    source.refresh_from_db()
    assert (source.probe, lab.counts.questions) == (None, 0)
    assert source.probe_waited == "Waits for its turn: the source is asked at most 1 questions at once."
    [(task, *ids, after)] = sent
    assert (task, ids) == ("hunts.tasks.probe_source", [source.pk, lea.pk])
    assert isinstance(after, float)
    assert 1.0 <= after <= 60.0


def test_the_commands_without_a_turn_say_so(
    source: Source, lab: Lab, busy: ExitStack, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"ask_timeout_seconds": 0.0})
    monkeypatch.setattr(probing.probe_source, "__kwdefaults__", {"patience": 0.0})
    for command in (["footprint", "beacon.exe", "--source", source.slug], ["test_source", source.slug]):
        with pytest.raises(CommandError, match="at most 1 questions at once") as caught:
            call_command(*command)
        assert caught.value.returncode == 3
    assert lab.counts.questions == 0


def test_a_look_up_is_answered_by_the_service_in_its_turn(source: Source, lab: Lab) -> None:
    look = look_up_of(asked_case(source))
    assert (look.state, look.said, look.questions) == ("done", "", lab.counts.questions)
    assert {(row["File"], row["Name"]) for row in look.rows} == {("beacon.exe", "evil.example")}


def test_a_refused_look_up_pauses_its_source_as_a_refused_slice_does(source: Source, lab: Lab) -> None:
    lab.fault(Kind.FORBIDDEN, times=FOREVER)
    look = look_up_of(asked_case(source))
    source.refresh_from_db()
    assert look.state == "failed"
    assert source.is_paused
    assert source.paused_because == look.said
    assert Entry.objects.get(event="hunts:source:paused").content["reason"] == look.said
    # So it stands among what somebody must mend.
    assert list(Source.objects.refusing()) == [source]


def test_a_throttled_look_up_leaves_the_source_alone_for_all(source: Source, lab: Lab) -> None:
    lab.fault(Kind.THROTTLED, value="40")
    look = look_up_of(asked_case(source))
    assert (look.state, lab.counts.questions) == ("waiting", 1)
    with pytest.raises(NoTurn):
        newest(source)


def test_commands_in_three_processes_never_ask_at_once(
    fresh_database: FreshDatabase, lab: Lab, source: Source, processes: Processes
) -> None:
    lab.delay_seconds = 0.3
    environment = {**fresh_database.environment, "FOOTPRINT_ALLOW_HTTP_SOURCES": "1", "LAB_TOKEN": "a-token"}
    commands = (
        ["footprint", "beacon.exe", "--source", source.slug, "--format", "csv"],
        ["footprint", "beacon.exe", "--source", source.slug, "--detail"],
        ["test_source", source.slug],
    )
    started = [processes.start("manage.py", *command, environment=environment) for command in commands]
    for one in started:
        assert one.process.wait(120) == 0, one.said()
    # A plan and a slice each, and the columns, the newest and the oldest event.
    assert lab.counts.questions == 2 + 2 + 3
    assert lab.counts.most_at_once == 1
