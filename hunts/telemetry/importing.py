"""An import: exports become Parquet files of a store, all of them or none."""

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from hunts.telemetry.bad_lines import BadLines
from hunts.telemetry.cells import CellReader
from hunts.telemetry.errors import ImportFailed, Refusal, UnreadableFile
from hunts.telemetry.exports import Export, OpenExport, find_exports, refusal
from hunts.telemetry.manifest import DayFile, ImportRecord
from hunts.telemetry.progress import ImportSummary, Phase, Progress, Report, tell_nobody
from hunts.telemetry.readers.base import BadLine, Item, Reader, Unrecognised
from hunts.telemetry.readers.choose import choose_reader
from hunts.telemetry.staging import StagedRows
from hunts.telemetry.store import Store, move, new_id, oldest_kept
from hunts.telemetry.unpacking import BrokenOff, Limits

# More than four years. Each day costs some time, however few rows it has.
MOST_DAYS = 1_500
_ROWS_BETWEEN_REPORTS = 2_000


def import_files(
    store: Store,
    paths: Sequence[Path],
    *,
    names: Sequence[str] | None = None,
    progress: Report | None = None,
    limits: Limits | None = None,
    before_publishing: Callable[[ImportSummary], None] | None = None,
) -> ImportSummary:
    """Brings exports into a store: all of them or, when one is refused or something fails, none.

    A folder or an archive stands for the files in it. `names` is what people call the paths; without it,
    their own names. `before_publishing` is called when nothing is left to be done but to make the rows
    visible; what it raises ends the import.
    Raises UnreadableFile, naming each file that is nothing we read, before anything is read but for what
    shows only when a file is unpacked; ImportFailed when the disk or the engine gives up; StoreDamaged.
    """
    report = progress or tell_nobody
    called = list(names) if names is not None else [path.name for path in paths]
    readers = _choose_readers(list(zip(paths, called, strict=True)), report, limits or Limits())
    report(Progress(Phase.WAITING, 0, 0))
    try:
        with store.writing():
            return _Import(store, called, readers, report, before_publishing).run()
    except (OSError, duckdb.Error) as error:
        raise ImportFailed(f"The import failed and nothing of it is visible: {error}") from error


def _choose_readers(
    named: Sequence[tuple[Path, str]], report: Report, limits: Limits
) -> list[tuple[Export, Reader]]:
    exports, refusals = find_exports(named, limits)
    readers: list[tuple[Export, Reader]] = []
    for done, export in enumerate(exports):
        report(Progress(Phase.CHECKING, done, len(exports), file=export.shown))
        try:
            readers.append((export, choose_reader(export)))
        except (Unrecognised, OSError) as error:
            refusals.append(refusal(export.shown, error))
    if refusals:
        raise UnreadableFile(refusals)
    return readers


class _Import:
    def __init__(
        self,
        store: Store,
        names: Sequence[str],
        readers: Sequence[tuple[Export, Reader]],
        report: Report,
        before_publishing: Callable[[ImportSummary], None] | None,
    ) -> None:
        self._started = time.monotonic()
        self._at = datetime.now(UTC)
        self._id = new_id(self._at)
        self._before = store.manifest()
        self._number = self._before.next_number
        self._store = store
        self._names = names
        self._readers = readers
        self._report = report
        self._before_publishing = before_publishing
        self._folder = store.staging_folder / self._id
        self._cells = CellReader()
        oldest = oldest_kept(self._before, self._at.date())
        self._oldest = None if oldest is None else oldest.isoformat()
        self._other_rows = 0
        self._too_old = 0
        self._total_bytes = sum(export.bytes for export, _ in readers)
        self._bytes_done = 0

    def run(self) -> ImportSummary:
        self._folder.mkdir(parents=True)
        try:
            with StagedRows(self._folder) as staged, BadLines(self._folder / "bad-lines.jsonl") as bad_lines:
                for export, reader in self._readers:
                    self._read(export, reader, staged, bad_lines)
                staged.finish()
                files = self._sort(staged)
                summary = self._summary(
                    staged, bad_lines, sum(file.rows for file in files if not file.doubles)
                )
            self._publish(files, summary, bad_lines.path)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._report(Progress(Phase.DONE, 1, 1, summary.rows_read))
        return summary

    def _read(self, export: Export, reader: Reader, staged: StagedRows, bad_lines: BadLines) -> None:
        try:
            with export.open(self._folder) as opened:
                self._tell_reading(opened, staged)
                try:
                    self._take(reader.items(opened, self._cells), opened, staged, bad_lines)
                except BrokenOff as error:
                    bad_lines.add(export.name, BadLine(opened.lines.number + 1, str(error), b""))
        except Unrecognised as error:
            raise UnreadableFile([Refusal(export.shown, str(error))]) from error
        self._bytes_done += export.bytes

    def _take(
        self, items: Iterable[Item], opened: OpenExport, staged: StagedRows, bad_lines: BadLines
    ) -> None:
        told = staged.rows
        for item in items:
            if isinstance(item, list):
                staged.add(item)
                if self._days_to_keep() > MOST_DAYS:
                    raise Unrecognised(f"holds, with those before it, rows of more than {MOST_DAYS:,} days")
                if staged.rows >= told + _ROWS_BETWEEN_REPORTS:
                    told = staged.rows
                    self._tell_reading(opened, staged)
            elif isinstance(item, BadLine):
                bad_lines.add(opened.export.name, item)
            else:
                self._other_rows += 1

    def _days_to_keep(self) -> int:
        """Rows of days that retention lets go at once are left out later, and count for nothing."""
        days = self._cells.days
        if len(days) <= MOST_DAYS or self._oldest is None:
            return len(days)
        return sum(day >= self._oldest for day in days)

    def _tell_reading(self, opened: OpenExport, staged: StagedRows) -> None:
        done = self._bytes_done + opened.bytes_done()
        shown = opened.export.shown
        self._report(Progress(Phase.READING, done, self._total_bytes, staged.rows, shown))

    def _sort(self, staged: StagedRows) -> list[DayFile]:
        stored: dict[date, list[Path]] = {}
        for file in self._before.visible:
            stored.setdefault(file.day, []).append(self._store.path_of(file))
        oldest = oldest_kept(self._before, self._at.date())
        days = staged.days()
        files: list[DayFile] = []
        for done, day in enumerate(days):
            self._report(Progress(Phase.SORTING, done, len(days), staged.rows))
            if oldest is not None and day < oldest:
                self._too_old += staged.rows_of(day)
                continue
            new, doubles = (DayFile(day, self._id, {}, 0, is_double) for is_double in (False, True))
            paths = self._sorted_file(new), self._sorted_file(doubles)
            for file, path, rows in zip(
                (new, doubles), paths, staged.write_day(day, stored.get(day, ()), *paths), strict=True
            ):
                if rows:
                    files.append(
                        replace(file, rows_by_import={self._number: rows}, bytes=path.stat().st_size)
                    )
        return files

    def _sorted_file(self, file: DayFile) -> Path:
        return self._folder / f"{file.day.isoformat()}{'-doubles' if file.doubles else ''}.parquet"

    def _publish(self, files: Sequence[DayFile], summary: ImportSummary, bad_lines: Path) -> None:
        for done, file in enumerate(files):
            self._report(Progress(Phase.PUBLISHING, done, len(files), summary.rows_read))
            move(self._sorted_file(file), self._store.path_of(file))
        if summary.bad_lines_file is not None:
            move(bad_lines, summary.bad_lines_file)
        record = ImportRecord(
            self._id,
            self._at.isoformat(timespec="seconds"),
            tuple(self._names),
            summary.rows_read,
            summary.new_rows,
            summary.bad_lines,
            self._number,
        )
        self._report(Progress(Phase.PUBLISHING, len(files), len(files), summary.rows_read))
        if self._before_publishing is not None:
            self._before_publishing(summary)
        before = self._before
        self._store.publish(
            replace(
                before,
                imports=(*before.imports, record),
                files=(*before.files, *files),
                next_number=self._number + 1,
            )
        )

    def _summary(self, staged: StagedRows, bad_lines: BadLines, new_rows: int) -> ImportSummary:
        days = staged.days()
        return ImportSummary(
            import_id=self._id,
            files=len(self._readers),
            rows_read=staged.rows,
            new_rows=new_rows,
            doubles=staged.rows - new_rows - self._too_old,
            bad_lines=bad_lines.count,
            bad_lines_file=self._store.bad_lines_of(self._id) if bad_lines.count else None,
            other_rows=self._other_rows,
            unread_cells=dict(self._cells.unread),
            days=len(days),
            first_day=days[0] if days else None,
            last_day=days[-1] if days else None,
            devices=staged.devices(),
            names=staged.names(),
            seconds=time.monotonic() - self._started,
            too_old=self._too_old,
        )
