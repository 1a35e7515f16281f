"""A store: the telemetry of one local source, as Parquet files by UTC day.

- `manifest.json`: what is visible; replaced as a whole
- `days/2026-11-24/<name>.parquet`: visible rows of a day, sorted by FileKey
- `doubles/2026-11-24/<name>.parquet`: rows that an earlier import had brought already
- `bad-lines/<import>.jsonl`: lines of an import that could not be read
- `staging/<change>/`: a change on its way; swept by the next one if it was killed
- `scratch-*/`: what a question lays aside; swept when its process did not
- `writer.lock`: one change at a time
"""

import fcntl
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hunts.telemetry.errors import StoreBusy, StoreDamaged
from hunts.telemetry.manifest import (
    DayFile,
    ImportRecord,
    Manifest,
    Retired,
    read_manifest,
    replace_manifest,
    sync_folder,
)

# Longer than any question may take: a reader may have files that are visible no more.
GRACE = timedelta(hours=2)


class Store:
    def __init__(self, folder: Path, *, grace: timedelta = GRACE, waits: bool = True) -> None:
        """`waits` is whether a change waits for another one, or raises StoreBusy."""
        self.folder = folder
        self.staging_folder = folder / "staging"
        self.bad_lines_folder = folder / "bad-lines"
        self._grace = grace
        self._lock = fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB
        self._manifest_path = folder / "manifest.json"

    def parquet_files(self, first: date | None = None, last: date | None = None) -> tuple[Path, ...]:
        """What is visible now, by day, of all days or of some.

        Whoever has these may go on reading them: files that are visible no more stay for a while.
        """
        return self.paths_of(self.manifest(), first, last)

    def paths_of(
        self, manifest: Manifest, first: date | None = None, last: date | None = None
    ) -> tuple[Path, ...]:
        return tuple(
            self.path_of(file)
            for file in manifest.visible
            if (first is None or file.day >= first) and (last is None or file.day <= last)
        )

    def days(self) -> dict[date, int]:
        """Rows per UTC day, oldest first; days without rows are left out."""
        rows: Counter[date] = Counter()
        for file in self.manifest().visible:
            rows[file.day] += file.rows
        return dict(sorted(rows.items()))

    def imports(self) -> tuple[ImportRecord, ...]:
        return self.manifest().imports

    def manifest(self) -> Manifest:
        return read_manifest(self._manifest_path)

    def path_of(self, file: DayFile) -> Path:
        return self.folder / file.place

    def bad_lines_of(self, import_id: str) -> Path:
        return self.bad_lines_folder / f"{import_id}.jsonl"

    def publish(self, manifest: Manifest) -> None:
        """Only under `writing`, and only when every file that it names is on the disk.

        What the manifest before named and this one does not is retired.
        """
        before, named = self.manifest(), {file.place for file in manifest.files}
        now = datetime.now(UTC)
        gone = [Retired(file.place, file.bytes, now) for file in before.files if file.place not in named]
        files = sorted(manifest.files, key=lambda file: (file.day, file.doubles, file.name))
        replace_manifest(
            self._manifest_path,
            replace(
                manifest,
                files=tuple(files),
                retired=(*manifest.retired, *gone),
                revision=before.revision + 1,
            ),
        )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Waits for another writer, in whatever process; then sweeps up what a killed one left, and what
        was retired so long ago that nobody reads it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "writer.lock").open("a") as lock:
            try:
                fcntl.flock(lock, self._lock)
            except BlockingIOError as error:
                raise StoreBusy(f"Another change is made to {self.folder.name}.") from error
            self._require_manifest()
            self._sweep()
            yield

    def _require_manifest(self) -> None:
        """A store has one from its first writer on. One that lost it, as after a restore that was not
        whole, must not be swept: all its files would be taken for left-overs."""
        if self._manifest_path.exists():
            return
        if any(self.folder.glob("days/*/*.parquet")):
            raise StoreDamaged(f"{self._manifest_path} is missing, but there are files it should name.")
        replace_manifest(self._manifest_path, Manifest())

    def _sweep(self) -> None:
        if self.staging_folder.exists():
            shutil.rmtree(self.staging_folder)
        for scratch in self.folder.glob("scratch-*"):
            if datetime.now(UTC) - datetime.fromtimestamp(scratch.stat().st_mtime, UTC) > self._grace:
                shutil.rmtree(scratch, ignore_errors=True)
        manifest = self.manifest()
        newest = datetime.now(UTC) - self._grace
        waiting = tuple(file for file in manifest.retired if file.at > newest)
        if waiting != manifest.retired:
            replace_manifest(self._manifest_path, replace(manifest, retired=waiting))
        wanted = {self.path_of(file) for file in manifest.files}
        wanted |= {self.folder / file.place for file in waiting}
        wanted |= {self.bad_lines_of(record.import_id) for record in manifest.imports}
        for pattern in ("days/*/*.parquet", "doubles/*/*.parquet", "bad-lines/*.jsonl"):
            for path in self.folder.glob(pattern):
                if path not in wanted:
                    path.unlink()
                    if not any(path.parent.iterdir()):
                        path.parent.rmdir()


def oldest_kept(manifest: Manifest, today: date) -> date | None:
    return None if manifest.keep_days is None else today - timedelta(days=manifest.keep_days - 1)


def new_id(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def move(source: Path, target: Path) -> None:
    """Within one file system. The file, its name and its folder's name are on the disk afterwards."""
    with source.open("rb") as file:
        os.fsync(file.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    for folder in target.parents[:3]:
        sync_folder(folder)
