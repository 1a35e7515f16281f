"""Importing: what a command names, and what one worker does with one upload; both outside any transaction."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from cases.observed import visible
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, change
from hunts import store_work
from hunts.adapters import store_of
from hunts.models import Source, Upload
from hunts.source_actions import subject_of
from hunts.store_entries import Telling, tell_left_over
from hunts.store_work import FencedOff, Held
from hunts.telemetry.errors import StoreBusy, TelemetryError, UnreadableFile
from hunts.telemetry.importing import import_files
from hunts.telemetry.progress import ImportSummary, Report
from hunts.uploads import folder_of, path_of

log = structlog.get_logger(__name__)


def import_paths(
    *, actor: Actor, source: Source, paths: Sequence[Path], progress: Report | None = None
) -> ImportSummary:
    """All of them or none. Raises UnreadableFile and TelemetryError."""
    telling, names = Telling(actor, source, Event.TELEMETRY_IMPORTED), [path.name for path in paths]
    summary = import_files(
        store_of(source),
        paths,
        progress=progress,
        before_publishing=lambda summary: telling.note(after=_in_words(names, summary)),
    )
    telling.tell(after=_in_words(names, summary))
    return summary


def import_upload(upload_id: int, worker: str) -> None:
    """Imports it if it is there to be had; returns quietly when someone else has it."""
    held = store_work.claim(Upload, upload_id, worker)
    if held is None:
        return
    upload = Upload.objects.select_related("source").get(pk=upload_id)
    try:
        with store_work.heartbeat(held):
            _import(held, upload)
    except FencedOff:
        log.warning("upload_fenced_off", upload=upload_id, fence=held.fence)
        return
    except StoreBusy:
        store_work.hand_back(held)
        return
    except UnreadableFile as error:
        name_of = _names(upload)
        refused = [{"file": name_of(each.path), "reason": each.reason} for each in error.refusals]
        _fail(held, "Not every file can be read.", refused)
    except (TelemetryError, OSError) as error:
        _fail_unless_visible(held, store_work.said_of(error))
    except SoftTimeLimitExceeded:
        _fail_unless_visible(held, "The import took longer than it may; nothing of it is visible.")
    shutil.rmtree(folder_of(upload), ignore_errors=True)


def summary_json(summary: ImportSummary) -> dict[str, Any]:
    """As it is kept with the upload."""
    days = {name: getattr(summary, name) for name in ("first_day", "last_day")}
    return (
        asdict(summary)
        | {name: day and day.isoformat() for name, day in days.items()}
        | {"bad_lines_file": None}
    )


def summary_from(kept: Mapping[str, Any]) -> ImportSummary:
    days = {name: kept[name] and date.fromisoformat(kept[name]) for name in ("first_day", "last_day")}
    return ImportSummary(**{**kept, **days})


def _import(held: Held, upload: Upload) -> None:
    # A worker that was lost may have come as far as that.
    if not store_work.is_published(upload):
        files = list(upload.files.all())
        import_files(
            store_of(upload.source, waits=False),
            [path_of(file) for file in files],
            names=[file.name for file in files],
            progress=store_work.note_progress(held, _names(upload)),
            before_publishing=lambda summary: _note_summary(held, upload.source, summary),
        )
    _finish(held)


def _note_summary(held: Held, source: Source, summary: ImportSummary) -> None:
    tell_left_over(source)
    if not held.rows().update(summary=summary_json(summary), import_id=summary.import_id):
        raise FencedOff(held)


def _finish(held: Held) -> None:
    upload = Upload.objects.select_related("asked_by").get(pk=held.pk)
    with change(actor=Actor.person(upload.asked_by)) as ledger:
        upload = store_work.locked(held)
        store_work.end(upload, Upload.State.DONE)
        names = list(upload.files.values_list("name", flat=True))
        after = _in_words(names, summary_from(upload.summary))
        ledger.add(Event.TELEMETRY_IMPORTED, subject_of(upload.source), after=after)


def _in_words(names: Sequence[str], summary: ImportSummary) -> dict[str, object]:
    return {
        "import": summary.import_id,
        "files": [visible(name) for name in names],
        "new_rows": summary.new_rows,
        "doubles": summary.doubles,
        "bad_lines": summary.bad_lines,
        "days": [day.isoformat() for day in (summary.first_day, summary.last_day) if day],
    }


def _fail_unless_visible(held: Held, said: str) -> None:
    """What strikes once the rows are visible takes them not back."""
    if store_work.is_published(Upload.objects.select_related("source").get(pk=held.pk)):
        _finish(held)
    else:
        _fail(held, said)


def _fail(held: Held, said: str, refused: list[dict[str, str]] | None = None) -> None:
    upload = Upload.objects.select_related("asked_by").get(pk=held.pk)
    with change(actor=Actor.person(upload.asked_by)) as ledger:
        store_work.fail(ledger, store_work.locked(held), said, refused or [])


def _names(upload: Upload) -> Callable[[Path], str]:
    """What people called a file in the upload's folder, or a file inside one of them."""
    folder, names = folder_of(upload), {str(file.number): file.name for file in upload.files.all()}

    def name_of(path: Path) -> str:
        number, *inside = path.relative_to(folder).parts
        return "/".join((names[number], *inside))

    return name_of
