"""What is done to a store beside importing: removing an import, keeping so many days, compacting.

`before_publishing` is called when nothing is left to be done but to make the change visible; what it raises
ends it.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import duckdb

from hunts.telemetry.errors import ChangeFailed, UnknownImport
from hunts.telemetry.manifest import DayFile, Manifest
from hunts.telemetry.progress import Phase, Progress, Report, tell_nobody
from hunts.telemetry.rewriting import DayRewriter
from hunts.telemetry.store import Store, oldest_kept


@dataclass(frozen=True)
class Removal:
    import_id: str
    # Rows that were visible and are gone.
    rows: int
    # Rows that are visible in their place: other imports had brought them too.
    readmitted: int
    days: int


@dataclass(frozen=True)
class Retention:
    days: int
    rows: int


@dataclass(frozen=True)
class Compaction:
    days: int
    files_before: int
    files_after: int


def remove_import(
    store: Store,
    import_id: str,
    *,
    progress: Report | None = None,
    before_publishing: Callable[[Removal], None] | None = None,
) -> Removal:
    """Afterwards the store is what it would be without this import; rows that other imports brought too
    stay. Raises UnknownImport, ChangeFailed and StoreDamaged."""
    with _changing(store):
        return _remove(store, import_id, progress or tell_nobody, before_publishing)


def keep_days(
    store: Store,
    days: int | None,
    *,
    today: date | None = None,
    progress: Report | None = None,
    before_publishing: Callable[[Retention], None] | None = None,
) -> Retention:
    """Keeps so many UTC days up to today, from now on also of what is imported later; None keeps all.

    Call it again, with the same number, to let go of what has become too old.
    """
    if days is not None and days < 1:
        raise ValueError("at least today is kept")
    report = progress or tell_nobody
    with _changing(store):
        manifest = replace(store.manifest(), keep_days=days)
        oldest = oldest_kept(manifest, today or datetime.now(UTC).date())
        kept = tuple(file for file in manifest.files if oldest is None or file.day >= oldest)
        gone = [file for file in manifest.visible if file not in kept]
        retention = Retention(len({file.day for file in gone}), sum(file.rows for file in gone))
        report(Progress(Phase.PUBLISHING, 0, 1))
        if before_publishing is not None:
            before_publishing(retention)
        store.publish(replace(manifest, files=kept))
        report(Progress(Phase.DONE, 1, 1))
    return retention


def compact(
    store: Store,
    *,
    min_files: int = 2,
    progress: Report | None = None,
    before_publishing: Callable[[Compaction], None] | None = None,
) -> Compaction:
    """Makes one file of each day that has at least so many, day by day. The rows stay the same.

    Also lets go of files that were retired long ago. `before_publishing` is told of each day by itself.
    """
    report = progress or tell_nobody
    with _changing(store), DayRewriter(store) as rewriter:
        days = [(day, files) for day, files in _by_day(store.manifest()) if _is_split(files, min_files)]
        before = after = 0
        for done, (day, files) in enumerate(days):
            report(Progress(Phase.REWRITING, done, len(days)))
            rewritten = rewriter.rewrite(day, files)
            report(Progress(Phase.PUBLISHING, done, len(days)))
            rewritten.move_into(store)
            report(Progress(Phase.PUBLISHING, done, len(days)))
            manifest = store.manifest()
            others = tuple(file for file in manifest.files if file.day != day)
            if before_publishing is not None:
                before_publishing(Compaction(1, len(files), len(rewritten.files)))
            store.publish(replace(manifest, files=(*others, *rewritten.publishable())))
            before += len(files)
            after += len(rewritten.files)
        report(Progress(Phase.DONE, 1, 1))
    return Compaction(len(days), before, after)


def _remove(
    store: Store, import_id: str, report: Report, before_publishing: Callable[[Removal], None] | None
) -> Removal:
    manifest = store.manifest()
    number = next((record.number for record in manifest.imports if record.import_id == import_id), None)
    if number is None:
        raise UnknownImport(f"There is no import {import_id} in {store.folder.name}.")
    days = [(day, files) for day, files in _by_day(manifest) if _holds(files, number)]
    left: list[DayFile] = [file for file in manifest.files if all(file.day != day for day, _ in days)]
    with DayRewriter(store) as rewriter:
        for done, (day, files) in enumerate(days):
            report(Progress(Phase.REWRITING, done, len(days)))
            if _is_apart(files, number):
                left += [file for file in files if number not in file.rows_by_import]
                continue
            rewritten = rewriter.rewrite(day, files, without=[number])
            report(Progress(Phase.PUBLISHING, done, len(days)))
            rewritten.move_into(store)
            left += rewritten.publishable()
        report(Progress(Phase.PUBLISHING, len(days), len(days)))
        imports = tuple(record for record in manifest.imports if record.number != number)
        removal = _removal(import_id, number, manifest, left, len(days))
        if before_publishing is not None:
            before_publishing(removal)
        store.publish(replace(manifest, imports=imports, files=tuple(left)))
        store.bad_lines_of(import_id).unlink(missing_ok=True)
        report(Progress(Phase.DONE, 1, 1))
    return removal


def _removal(import_id: str, number: int, manifest: Manifest, left: list[DayFile], days: int) -> Removal:
    rows = sum(file.rows_by_import.get(number, 0) for file in manifest.visible)
    visible_after = sum(file.rows for file in left if not file.doubles)
    readmitted = visible_after - (sum(file.rows for file in manifest.visible) - rows)
    return Removal(import_id, rows, readmitted, days)


def files_per_day(manifest: Manifest) -> list[int]:
    """Of each day, its visible files or its doubles, whichever are more."""
    return [_most_files(files) for _, files in _by_day(manifest)]


def _by_day(manifest: Manifest) -> list[tuple[date, list[DayFile]]]:
    days: dict[date, list[DayFile]] = {}
    for file in manifest.files:
        days.setdefault(file.day, []).append(file)
    return sorted(days.items())


def _holds(files: list[DayFile], number: int) -> bool:
    return any(number in file.rows_by_import for file in files)


def _is_split(files: list[DayFile], min_files: int) -> bool:
    return _most_files(files) >= min_files


def _most_files(files: list[DayFile]) -> int:
    return max(len([file for file in files if file.doubles is doubles]) for doubles in (False, True))


def _is_apart(files: list[DayFile], number: int) -> bool:
    """Whether the import's files can simply go: nobody else is in them, and no double of another import
    may wait for its rows."""
    alone = all(len(file.rows_by_import) == 1 for file in files if number in file.rows_by_import)
    waiting = any(file.doubles and set(file.rows_by_import) - {number} for file in files)
    shown = any(not file.doubles and number in file.rows_by_import for file in files)
    return alone and not (waiting and shown)


@contextmanager
def _changing(store: Store) -> Iterator[None]:
    try:
        with store.writing():
            try:
                yield
            finally:
                shutil.rmtree(store.staging_folder, ignore_errors=True)
    except (OSError, duckdb.Error) as error:
        raise ChangeFailed(f"The change failed and nothing of it is visible: {error}") from error
