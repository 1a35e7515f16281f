"""Changes of what a local source holds beside importing: removals, retention, compaction.

A store publishes each change by itself, outside any transaction; the entry follows and says that it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from cases.observed import visible
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, change
from hunts import store_work
from hunts.adapters import store_of
from hunts.models import Removal, Source
from hunts.source_actions import subject_of
from hunts.store_work import FencedOff, Held
from hunts.telemetry import upkeep
from hunts.telemetry.errors import TelemetryError, UnknownImport
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
    with change(actor=Actor.person(actor)):
        Source.objects.select_for_update().get(pk=source.pk)
        underway: Removal | None = Removal.objects.filter(
            source=source,
            import_id=record.import_id,
            state__in=[Removal.State.WAITING, Removal.State.WORKING],
        ).first()
        if underway is not None:
            return underway
        return Removal.objects.create(
            source=source, asked_by=actor, import_id=record.import_id, files=list(record.files)
        )


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
    except (TelemetryError, OSError) as error:
        _fail(held, store_work.said_of(error))
    except SoftTimeLimitExceeded:
        _fail(held, "The removal took longer than it may; nothing of it is visible.")


def remove_import(
    *, actor: Actor, source: Source, record: ImportRecord, progress: Report | None = None
) -> upkeep.Removal:
    removal = upkeep.remove_import(store_of(source), record.import_id, progress=progress)
    with change(actor=actor) as ledger:
        _removed(ledger, source, record.files, removal)
    return removal


def apply_retention(*, actor: Actor, source: Source, progress: Report | None = None) -> upkeep.Retention:
    """Lets go of the days that the source does not keep any more."""
    gone = upkeep.keep_days(store_of(source), source.keep_days, progress=progress)
    if gone.days:
        with change(actor=actor) as ledger:
            ledger.add(
                Event.RETENTION_APPLIED,
                subject_of(source),
                after={"keep_days": source.keep_days, "days": gone.days, "rows": gone.rows},
            )
    return gone


def compact(
    *, actor: Actor, source: Source, min_files: int = 2, progress: Report | None = None
) -> upkeep.Compaction:
    done = upkeep.compact(store_of(source), min_files=min_files, progress=progress)
    if done.days:
        with change(actor=actor) as ledger:
            ledger.add(
                Event.TELEMETRY_COMPACTED,
                subject_of(source),
                before={"files": done.files_before},
                after={"files": done.files_after, "days": done.days},
            )
    return done


def tend_store(source: Source) -> None:
    """What is due and nothing else."""
    manifest, today = store_of(source).manifest(), datetime.now(UTC).date()
    kept = oldest_kept(manifest, today)
    too_old = kept is not None and any(file.day < kept for file in manifest.files)
    actor = Actor.clock("upkeep")
    if manifest.keep_days != source.keep_days or too_old:
        apply_retention(actor=actor, source=source)
    if any(count >= FILES_TO_COMPACT for count in upkeep.files_per_day(manifest)):
        compact(actor=actor, source=source, min_files=FILES_TO_COMPACT)


def _remove(held: Held) -> None:
    work = Removal.objects.select_related("source", "asked_by").get(pk=held.pk)
    actor = Actor.person(work.asked_by)
    progress = store_work.note_progress(held, str)
    try:
        removal = upkeep.remove_import(store_of(work.source), work.import_id, progress=progress)
    except UnknownImport:
        if not work.losses:
            raise
        # The worker that was lost had come as far as that; how many rows it were, nobody knows any more.
        removal = upkeep.Removal(work.import_id, 0, 0, 0)
    with change(actor=actor) as ledger:
        work = store_work.locked(held)
        work.rows, work.readmitted, work.days = removal.rows, removal.readmitted, removal.days
        store_work.end(work, Removal.State.DONE)
        _removed(ledger, work.source, work.files, removal)


def _removed(ledger: Change, source: Source, files: Sequence[str], removal: upkeep.Removal) -> None:
    ledger.add(
        Event.IMPORT_REMOVED,
        subject_of(source),
        before={"import": removal.import_id, "files": [visible(name) for name in files]},
        after={"rows": removal.rows, "readmitted": removal.readmitted, "days": removal.days},
    )


def _fail(held: Held, said: str) -> None:
    with change(actor=Actor.clock("upkeep")) as ledger:
        store_work.fail(ledger, store_work.locked(held), said)
