"""What the clock does to stores, and what the ledger says of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from footprint.accounts.models import Role
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from hunts import store_work
from hunts.adapters import store_of
from hunts.models import Removal, Source
from hunts.source_actions import change_source
from hunts.store_sweep import tend_stores
from hunts.upkeep import FILES_TO_COMPACT, ask_removal, do_removal, find_import
from tests.hunts.telemetry_lines import Event, days_ago, event, fill
from tests.roles import person_with

MakeSource = Callable[[Iterable[Event]], Source]


def entries() -> list[tuple[str, str]]:
    found = Entry.objects.filter(event__regex="^hunts:(retention|telemetry|import):").order_by("seq")
    return list(found.values_list("event", "actor_kind"))


def test_the_clock_lets_go_of_what_is_too_old_once(db: None, make_source: MakeSource) -> None:
    source = make_source([event("a.exe", days_ago(back), "203.0.113.1") for back in (0, 1, 2, 9)])
    tend_stores()
    assert (len(store_of(source).days()), entries()) == (4, [])

    change_source(actor=Actor.command("tests"), source=source, keep_days=2)
    tend_stores()
    tend_stores()

    today = datetime.now(UTC).date()
    assert list(store_of(source).days()) == [today - timedelta(days=1), today]
    assert entries() == [("hunts:retention:applied", "clock")]
    after = json.loads(Entry.objects.get(event="hunts:retention:applied").text)["after"]
    assert (after["days"], after["rows"]) == (2, 2)


def test_the_clock_compacts_a_day_of_many_imports(db: None, make_source: MakeSource, tmp_path: Path) -> None:
    source = make_source([event("first.exe", days_ago(0), "203.0.113.1")])
    for number in range(1, FILES_TO_COMPACT):
        fill(store_of(source), tmp_path, [event("a.exe", days_ago(0), "203.0.113.1", DeviceId=f"d{number}")])
    assert len(store_of(source).parquet_files()) == FILES_TO_COMPACT
    tend_stores()
    assert len(store_of(source).parquet_files()) == 1
    assert entries() == [("hunts:telemetry:compacted", "clock")]


def test_a_store_that_is_damaged_keeps_no_other_from_its_upkeep(db: None, make_source: MakeSource) -> None:
    broken, whole = (
        make_source([event("a.exe", days_ago(back), "203.0.113.1") for back in (0, 5)]) for _ in range(2)
    )
    change_source(actor=Actor.command("tests"), source=whole, keep_days=1)
    (store_of(broken).folder / "manifest.json").write_text("{")
    tend_stores()
    assert len(store_of(whole).days()) == 1


def test_a_removal_is_asked_for_and_done_once(db: None, make_source: MakeSource) -> None:
    source, lea = make_source([event("a.exe", days_ago(0), "203.0.113.1")]), person_with(Role.LEAD, "lea")
    record = store_of(source).imports()[0]
    first = ask_removal(actor=lea, source=source, record=find_import(source, record.import_id))
    assert ask_removal(actor=lea, source=source, record=record).pk == first.pk
    do_removal(first.pk, "a worker")
    do_removal(first.pk, "another")
    assert entries() == [("hunts:import:removed", "person")]


@pytest.mark.parametrize("was_about_to", [False, True])
def test_an_import_that_is_gone_was_removed_by_the_lost_worker_or_by_somebody_else(
    db: None, make_source: MakeSource, was_about_to: bool
) -> None:
    source, lea = make_source([event("a.exe", days_ago(0), "203.0.113.1")]), person_with(Role.LEAD, "lea")
    record = store_of(source).imports()[0]
    first = ask_removal(actor=lea, source=source, record=record)
    do_removal(first.pk, "a worker")
    first.refresh_from_db()
    again = Removal.objects.create(
        source=source,
        asked_by=lea,
        import_id=record.import_id,
        losses=1,
        outcome=first.outcome if was_about_to else None,
    )
    do_removal(again.pk, "a worker")
    again.refresh_from_db()
    assert again.state == (Removal.State.DONE if was_about_to else Removal.State.FAILED)
    assert store_work.forgotten(Removal) == []
