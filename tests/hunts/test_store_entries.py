"""A process may end between what its store publishes and the entry that tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from footprint.accounts.models import Role
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from hunts import store_entries, store_work
from hunts.adapters import store_of
from hunts.importing import import_paths
from hunts.models import Removal, Source, StoreChange
from hunts.source_actions import change_source
from hunts.store_entries import TOLD_LATER
from hunts.store_sweep import tend_stores
from hunts.telemetry import upkeep
from hunts.telemetry.errors import ImportFailed
from hunts.telemetry.store import Store
from hunts.upkeep import apply_retention, ask_removal, compact, do_removal, remove_import
from tests.hunts.telemetry.exports import row, write_json_lines
from tests.hunts.telemetry_lines import Event, days_ago, event, fill
from tests.roles import person_with

MakeSource = Callable[[Iterable[Event]], Source]
ACTOR = Actor.command("tests")


class Killed(BaseException):
    """Nobody who could tidy up is asked."""


@contextmanager
def killed_at(place: object, name: str) -> Iterator[None]:
    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(place, name, die)
        with pytest.raises(Killed):
            yield


@pytest.fixture
def source(db: None, make_source: MakeSource, tmp_path: Path) -> Source:
    """With days that are not kept any more, and two imports of today."""
    source = make_source([event("a.exe", days_ago(back), "203.0.113.1") for back in (0, 1, 9)])
    fill(store_of(source), tmp_path, [event("a.exe", days_ago(0), "203.0.113.1", DeviceId="other")])
    return change_source(actor=ACTOR, source=source, keep_days=2)


def retain(source: Source, folder: Path) -> None:
    apply_retention(actor=ACTOR, source=source)


def remove(source: Source, folder: Path) -> None:
    remove_import(actor=ACTOR, source=source, record=store_of(source).imports()[0])


def join(source: Source, folder: Path) -> None:
    change_source(actor=ACTOR, source=source, keep_days=None)
    compact(actor=ACTOR, source=source)


def bring(source: Source, folder: Path) -> None:
    import_paths(actor=ACTOR, source=source, paths=[write_json_lines(folder / "new.jsonl", [row()])])


EACH = pytest.mark.parametrize(
    ("act", "name"),
    [
        (retain, "hunts:retention:applied"),
        (remove, "hunts:import:removed"),
        (join, "hunts:telemetry:compacted"),
        (bring, "hunts:telemetry:imported"),
    ],
)


def entries(name: str) -> list[tuple[str, str]]:
    return list(Entry.objects.filter(event=name).values_list("actor_name", "reason"))


@EACH
def test_what_was_published_and_not_told_is_told_by_the_sweep(
    source: Source, tmp_path: Path, act: Any, name: str
) -> None:
    with killed_at(store_entries.Telling, "tell"):
        act(source, tmp_path)
    assert entries(name) == []
    tend_stores()
    tend_stores()
    assert entries(name) == [("command tests", TOLD_LATER)]
    assert not StoreChange.objects.exists()


@EACH
def test_what_was_not_published_is_not_told(source: Source, tmp_path: Path, act: Any, name: str) -> None:
    with killed_at(Store, "publish"):
        act(source, tmp_path)
    assert StoreChange.objects.exists()
    with store_of(source).writing():
        store_entries.tell_left_over(source)
    assert (entries(name), StoreChange.objects.count()) == ([], 0)


def test_a_change_that_lets_nothing_go_is_not_taken_for_one_that_was_lost(
    source: Source, tmp_path: Path
) -> None:
    retain(source, tmp_path)
    with killed_at(Store, "publish"):
        bring(source, tmp_path)
    retain(source, tmp_path)
    tend_stores()
    assert (entries("hunts:telemetry:imported"), StoreChange.objects.count()) == ([], 0)


@EACH
def test_what_goes_well_is_told_once(source: Source, tmp_path: Path, act: Any, name: str) -> None:
    act(source, tmp_path)
    assert entries(name) == [("command tests", "")]
    assert not StoreChange.objects.exists()


def test_the_next_change_tells_what_was_left(source: Source, tmp_path: Path) -> None:
    with killed_at(store_entries.Telling, "tell"):
        retain(source, tmp_path)
    remove(source, tmp_path)
    told = Entry.objects.filter(event__regex="^hunts:(retention|import):").order_by("seq")
    assert [entry.event for entry in told] == ["hunts:retention:applied", "hunts:import:removed"]


def test_a_removal_whose_worker_was_lost_is_told_with_its_rows(source: Source) -> None:
    record = store_of(source).imports()[0]
    removal = ask_removal(actor=person_with(Role.LEAD, "lea"), source=source, record=record)
    with killed_at(store_work, "locked"):
        do_removal(removal.pk, "a worker")
    Removal.objects.update(state=Removal.State.WAITING, losses=1)
    do_removal(removal.pk, "another")
    assert Entry.objects.latest("seq").content["after"]["rows"] == 3


@pytest.mark.parametrize("trouble", [OSError("The disk is full"), SoftTimeLimitExceeded()])
def test_a_removal_that_is_in_trouble_once_the_import_is_gone_is_done(
    source: Source, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    record = store_of(source).imports()[0]
    removal = ask_removal(actor=person_with(Role.LEAD, "lea"), source=source, record=record)
    really = upkeep.remove_import

    def in_trouble(*arguments: Any, **options: Any) -> None:
        really(*arguments, **options)
        raise trouble

    monkeypatch.setattr(upkeep, "remove_import", in_trouble)
    do_removal(removal.pk, "a worker")
    removal.refresh_from_db()
    assert removal.state == Removal.State.DONE
    assert Entry.objects.latest("seq").event == "hunts:import:removed"


def test_compacting_tells_of_the_days_it_lets_go(source: Source) -> None:
    compact(actor=ACTOR, source=source)
    assert entries("hunts:retention:applied") == [("command tests", "")]


def test_who_asked_for_a_removal_and_that_it_failed_is_told(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ImportFailed("The disk is full")

    record = store_of(source).imports()[0]
    removal = ask_removal(actor=person_with(Role.LEAD, "lea"), source=source, record=record)
    ask_removal(actor=person_with(Role.LEAD, "tom"), source=source, record=record)
    monkeypatch.setattr("hunts.telemetry.upkeep.remove_import", fail)
    do_removal(removal.pk, "a worker")
    told = Entry.objects.filter(event__startswith="hunts:removal:").order_by("seq")
    assert [(entry.event, entry.actor_name, entry.reason) for entry in told] == [
        ("hunts:removal:asked", "Lea", ""),
        ("hunts:removal:failed", "upkeep", "The disk is full"),
    ]
    assert told[0].content["after"]["import"] == record.import_id
