"""A store: the telemetry of one local source, as Parquet files by UTC day.

- `manifest.json`: what is visible; replaced as a whole
- `days/2026-11-24/<import>.parquet`: the rows of a day that one import brought, sorted by FileKey
- `bad-lines/<import>.jsonl`: lines of an import that could not be read
- `staging/<import>/`: an import on its way; swept by the next one if it was killed
- `writer.lock`: one import at a time
"""

import fcntl
import os
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from hunts.telemetry.bad_lines import BadLines
from hunts.telemetry.cells import CellReader
from hunts.telemetry.errors import ImportFailed, Refusal, UnreadableFile
from hunts.telemetry.exports import Export, OpenExport, find_exports, refusal
from hunts.telemetry.manifest import (
    DayFile,
    ImportRecord,
    Manifest,
    read_manifest,
    replace_manifest,
    sync_folder,
)
from hunts.telemetry.progress import ImportSummary, Phase, Progress
from hunts.telemetry.readers.base import BadLine, Item, Reader, Unrecognised
from hunts.telemetry.readers.choose import choose_reader
from hunts.telemetry.staging import StagedRows
from hunts.telemetry.unpacking import BrokenOff, Limits

Report = Callable[[Progress], None]
_ROWS_BETWEEN_REPORTS = 2_000


class Store:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.staging_folder = folder / "staging"
        self.bad_lines_folder = folder / "bad-lines"
        self._days_folder = folder / "days"
        self._manifest_path = folder / "manifest.json"

    def parquet_files(self) -> tuple[Path, ...]:
        """What is visible now, by day. Imports only add files, so a reader may keep working on these."""
        return tuple(self.path_of(file) for file in self.manifest().files)

    def days(self) -> dict[date, int]:
        """Rows per UTC day, oldest first; days without rows are left out."""
        rows: Counter[date] = Counter()
        for file in self.manifest().files:
            rows[file.day] += file.rows
        return dict(sorted(rows.items()))

    def imports(self) -> tuple[ImportRecord, ...]:
        return self.manifest().imports

    def manifest(self) -> Manifest:
        return read_manifest(self._manifest_path)

    def path_of(self, file: DayFile) -> Path:
        return self.day_folder(file.day) / f"{file.import_id}.parquet"

    def day_folder(self, day: date) -> Path:
        return self._days_folder / day.isoformat()

    def bad_lines_of(self, import_id: str) -> Path:
        return self.bad_lines_folder / f"{import_id}.jsonl"

    def publish(self, manifest: Manifest) -> None:
        """Only under `writing`, and only when every file that it names is on the disk."""
        replace_manifest(self._manifest_path, manifest)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Waits for another writer, in whatever process; then sweeps up what a killed one left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "writer.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._sweep()
            yield

    def _sweep(self) -> None:
        if self.staging_folder.exists():
            shutil.rmtree(self.staging_folder)
        manifest = self.manifest()
        visible = {self.path_of(file) for file in manifest.files}
        visible |= {self.bad_lines_of(record.import_id) for record in manifest.imports}
        leftovers = [*self._days_folder.glob("*/*.parquet"), *self.bad_lines_folder.glob("*.jsonl")]
        for path in leftovers:
            if path not in visible:
                path.unlink()


def import_files(
    store: Store, paths: Sequence[Path], *, progress: Report | None = None, limits: Limits | None = None
) -> ImportSummary:
    """Brings exports into a store: all of them or, when one is refused or something fails, none.

    A folder or an archive stands for the files in it. Raises UnreadableFile, naming each file that is
    nothing we read, before anything is read but for what shows only when a file is unpacked; ImportFailed
    when the disk or the engine gives up; StoreDamaged.
    """
    report = progress or _tell_nobody
    readers = _choose_readers(paths, report, limits or Limits())
    report(Progress(Phase.WAITING, 0, 0))
    try:
        with store.writing():
            return _Import(store, [path.name for path in paths], readers, report).run()
    except (OSError, duckdb.Error) as error:
        raise ImportFailed(f"The import failed and nothing of it is visible: {error}") from error


def _choose_readers(paths: Sequence[Path], report: Report, limits: Limits) -> list[tuple[Export, Reader]]:
    exports, refusals = find_exports(paths, limits)
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
        self, store: Store, names: Sequence[str], readers: Sequence[tuple[Export, Reader]], report: Report
    ) -> None:
        self._started = time.monotonic()
        self._at = datetime.now(UTC)
        self._id = f"{self._at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        self._store = store
        self._names = names
        self._readers = readers
        self._report = report
        self._folder = store.staging_folder / self._id
        self._cells = CellReader()
        self._other_rows = 0
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
                summary = self._summary(staged, bad_lines, sum(file.rows for file in files))
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
        for item in items:
            if isinstance(item, list):
                staged.add(item)
                if staged.rows % _ROWS_BETWEEN_REPORTS == 0:
                    self._tell_reading(opened, staged)
            elif isinstance(item, BadLine):
                bad_lines.add(opened.export.name, item)
            else:
                self._other_rows += 1

    def _tell_reading(self, opened: OpenExport, staged: StagedRows) -> None:
        done = self._bytes_done + opened.bytes_done()
        shown = opened.export.shown
        self._report(Progress(Phase.READING, done, self._total_bytes, staged.rows, shown))

    def _sort(self, staged: StagedRows) -> list[DayFile]:
        stored: dict[date, list[Path]] = {}
        for file in self._store.manifest().files:
            stored.setdefault(file.day, []).append(self._store.path_of(file))
        days = staged.days()
        files = []
        for done, day in enumerate(days):
            self._report(Progress(Phase.SORTING, done, len(days), staged.rows))
            target = self._sorted_file(day)
            if rows := staged.write_day(day, stored.get(day, ()), target):
                files.append(DayFile(day, self._id, rows, target.stat().st_size))
        return files

    def _sorted_file(self, day: date) -> Path:
        return self._folder / f"{day.isoformat()}.parquet"

    def _publish(self, files: Sequence[DayFile], summary: ImportSummary, bad_lines: Path) -> None:
        for done, file in enumerate(files):
            self._report(Progress(Phase.PUBLISHING, done, len(files), summary.rows_read))
            _move(self._sorted_file(file.day), self._store.path_of(file))
        if summary.bad_lines_file is not None:
            _move(bad_lines, summary.bad_lines_file)
        before = self._store.manifest()
        record = ImportRecord(
            self._id,
            self._at.isoformat(timespec="seconds"),
            tuple(self._names),
            summary.rows_read,
            summary.new_rows,
            summary.bad_lines,
        )
        ordered = sorted([*before.files, *files], key=lambda file: (file.day, file.import_id))
        self._report(Progress(Phase.PUBLISHING, len(files), len(files), summary.rows_read))
        self._store.publish(Manifest((*before.imports, record), tuple(ordered)))

    def _summary(self, staged: StagedRows, bad_lines: BadLines, new_rows: int) -> ImportSummary:
        days = staged.days()
        return ImportSummary(
            import_id=self._id,
            files=len(self._readers),
            rows_read=staged.rows,
            new_rows=new_rows,
            doubles=staged.rows - new_rows,
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
        )


def _move(source: Path, target: Path) -> None:
    """Within one file system. The file, its name and its folder's name are on the disk afterwards."""
    with source.open("rb") as file:
        os.fsync(file.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    sync_folder(target.parent)
    sync_folder(target.parent.parent)


def _tell_nobody(_: Progress) -> None:
    pass
