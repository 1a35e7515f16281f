"""Changes of what a local source holds beside importing: removals, retention, compaction.

A store publishes each change by itself, outside any transaction. What the entry will say is kept before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from cases.observed import visible
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, change
from hunts import store_work
from hunts.adapters import store_of
from hunts.models import Removal, Source
from hunts.source_actions import subject_of
from hunts.store_entries import Telling, has_left_over, tell_left_over
from hunts.store_work import FencedOff, Held
from hunts.telemetry import upkeep
from hunts.telemetry.errors import StoreBusy, TelemetryError, UnknownImport
from hunts.telemetry.manifest import ImportRecord
from hunts.telemetry.progress import Report
from hunts.telemetry.store import oldest_kept

log = structlog.get_logger(__name__)

# So many files of one day are worth being made one.
FILES_TO_COMPACT = 8


def find_import(source: Source, import_id: str) -> ImportRecord:
    """Raises UnknownImport."""
    for record in store_of(source).imports():
        if record.import_id == import_id:
            return record
    raise UnknownImport(f"There is no import {import_id} in {source.slug}.")


def ask_removal(*, actor: Person, source: Source, record: ImportRecord) -> Removal:
    """A worker does it. One that was asked for already is returned as it is."""
    with change(actor=Actor.person(actor)) as ledger:
        Source.objects.select_for_update().get(pk=source.pk)
        underway: Removal | None = Removal.objects.filter(
            source=source,
            import_id=record.import_id,
            state__in=[Removal.State.WAITING, Removal.State.WORKING],
        ).first()
        if underway is not None:
            return underway
        removal = Removal.objects.create(
            source=source, asked_by=actor, import_id=record.import_id, files=list(record.files)
        )
        ledger.add(
            Event.REMOVAL_ASKED,
            subject_of(source),
            after={"removal": removal.pk, **_import_in_words(record.import_id, record.files)},
        )
        return removal


def do_removal(removal_id: int, worker: str) -> None:
    """Removes the import if the removal is there to be had; returns quietly when someone else has it."""
    held = store_work.claim(Removal, removal_id, worker)
    if held is None:
        return
    try:
        with store_work.heartbeat(held):
            _remove(held)
    except FencedOff:
        log.warning("removal_fenced_off", removal=removal_id, fence=held.fence)
    except StoreBusy:
        store_work.hand_back(held)
    except (TelemetryError, OSError) as error:
        _fail_unless_gone(held, store_work.said_of(error))
    except SoftTimeLimitExceeded:
        _fail_unless_gone(held, "The removal took longer than it may; nothing of it is visible.")


def remove_import(
    *, actor: Actor, source: Source, record: ImportRecord, progress: Report | None = None
) -> upkeep.Removal:
    telling = Telling(actor, source, Event.IMPORT_REMOVED)
    before = _import_in_words(record.import_id, record.files)
    removal = upkeep.remove_import(
        store_of(source),
        record.import_id,
        progress=progress,
        before_publishing=lambda removal: telling.note(before=before, after=_removal_in_words(removal)),
    )
    telling.tell(before=before, after=_removal_in_words(removal))
    return removal


def apply_retention(
    *, actor: Actor, source: Source, progress: Report | None = None, waits: bool = True
) -> upkeep.Retention:
    """Lets go of the days that the source does not keep any more."""
    telling = Telling(actor, source, Event.RETENTION_APPLIED)

    def note(gone: upkeep.Retention) -> None:
        if gone.days:
            telling.note(after=_retention_in_words(source, gone))
        else:
            # It publishes all the same: a note that somebody left must not be taken for that.
            tell_left_over(source)

    gone = upkeep.keep_days(
        store_of(source, waits=waits), source.keep_days, progress=progress, before_publishing=note
    )
    telling.tell(after=_retention_in_words(source, gone))
    return gone


def compact(
    *,
    actor: Actor,
    source: Source,
    min_files: int = 2,
    progress: Report | None = None,
    waits: bool = True,
) -> upkeep.Compaction:
    """Lets go first of days that are not kept any more: nobody needs them compacted."""
    if source.keep_days is not None:
        apply_retention(actor=actor, source=source, waits=waits)
    telling = Telling(actor, source, Event.TELEMETRY_COMPACTED)
    done = upkeep.compact(
        store_of(source, waits=waits),
        min_files=min_files,
        progress=progress,
        before_publishing=lambda day: telling.note(**_compaction_in_words(day)),
    )
    telling.tell(**_compaction_in_words(done))
    return done


def tend_store(source: Source) -> None:
    """What is due and nothing else. Raises StoreBusy: it is due again within the hour."""
    if has_left_over(source):
        with store_of(source, waits=False).writing():
            tell_left_over(source)
    manifest, today = store_of(source).manifest(), datetime.now(UTC).date()
    kept = oldest_kept(manifest, today)
    too_old = kept is not None and any(file.day < kept for file in manifest.files)
    actor = Actor.clock("upkeep")
    if manifest.keep_days != source.keep_days or too_old:
        apply_retention(actor=actor, source=source, waits=False)
    if any(count >= FILES_TO_COMPACT for count in upkeep.files_per_day(manifest)):
        compact(actor=actor, source=source, min_files=FILES_TO_COMPACT, waits=False)


def _remove(held: Held) -> None:
    work = Removal.objects.select_related("source", "asked_by").get(pk=held.pk)
    progress = store_work.note_progress(held, str)
    try:
        removal = upkeep.remove_import(
            store_of(work.source, waits=False),
            work.import_id,
            progress=progress,
            before_publishing=lambda removal: _note_outcome(held, work.source, removal),
        )
    except UnknownImport:
        if work.outcome is None:
            raise
        # The worker that was lost had come as far as that.
        removal = upkeep.Removal(**work.outcome)
    _finish(held, removal)


def _finish(held: Held, removal: upkeep.Removal) -> None:
    asked_by = Removal.objects.select_related("asked_by").get(pk=held.pk).asked_by
    with change(actor=Actor.person(asked_by)) as ledger:
        work = store_work.locked(held)
        work.rows, work.readmitted, work.days = removal.rows, removal.readmitted, removal.days
        store_work.end(work, Removal.State.DONE)
        ledger.add(
            Event.IMPORT_REMOVED,
            subject_of(work.source),
            before=_import_in_words(work.import_id, work.files),
            after=_removal_in_words(removal),
        )


def _note_outcome(held: Held, source: Source, removal: upkeep.Removal) -> None:
    tell_left_over(source)
    if not held.rows().update(outcome=asdict(removal)):
        raise FencedOff(held)


def _import_in_words(import_id: str, files: Sequence[str]) -> dict[str, object]:
    return {"import": import_id, "files": [visible(name) for name in files]}


def _removal_in_words(removal: upkeep.Removal) -> dict[str, object]:
    return {"rows": removal.rows, "readmitted": removal.readmitted, "days": removal.days}


def _retention_in_words(source: Source, gone: upkeep.Retention) -> dict[str, object]:
    return {"keep_days": source.keep_days, "days": gone.days, "rows": gone.rows}


def _compaction_in_words(done: upkeep.Compaction) -> dict[str, dict[str, object]]:
    return {"before": {"files": done.files_before}, "after": {"files": done.files_after, "days": done.days}}


def _fail_unless_gone(held: Held, said: str) -> None:
    """What strikes once the import is gone brings it not back."""
    work = Removal.objects.select_related("source").get(pk=held.pk)
    if work.outcome is not None and store_work.is_published(work):
        _finish(held, upkeep.Removal(**work.outcome))
    else:
        _fail(held, said)


def _fail(held: Held, said: str) -> None:
    with change(actor=Actor.clock("upkeep")) as ledger:
        store_work.fail(ledger, store_work.locked(held), said)
