"""The manifest of a store: the one file that says which Parquet files are visible.

It is replaced as a whole, by renaming, after everything it names is on the disk. So a reader sees the
store as it was before a change or as it is after it, whatever happens in between.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from hunts.telemetry.errors import StoreDamaged

FORMAT_VERSION = 2
# Before rows could be removed: one file for a day and an import, and no doubles kept.
_FIRST_VERSION = 1


@dataclass(frozen=True)
class DayFile:
    """One Parquet file: rows of one UTC day."""

    day: date
    name: str
    # By the number of the import that brought them. A file of several imports has a column ImportNumber.
    rows_by_import: Mapping[int, int]
    bytes: int
    # Rows that another import brought before; nobody sees them as long as that one is there.
    doubles: bool = False

    @property
    def rows(self) -> int:
        return sum(self.rows_by_import.values())

    @property
    def place(self) -> str:
        """Below the store's folder."""
        return f"{'doubles' if self.doubles else 'days'}/{self.day.isoformat()}/{self.name}.parquet"


@dataclass(frozen=True)
class ImportRecord:
    import_id: str
    # ISO 8601, UTC.
    at: str
    # The names of the files, folders and archives that were given, without the way to them.
    files: tuple[str, ...]
    rows_read: int
    new_rows: int
    bad_lines: int
    # Counts up from 1 in the order of the imports, and is never given again.
    number: int = 0


@dataclass(frozen=True)
class Retired:
    """A file that is not visible any more, but that a reader may still have."""

    place: str
    bytes: int
    at: datetime


@dataclass(frozen=True)
class Manifest:
    imports: tuple[ImportRecord, ...] = ()
    # Visible files and doubles, by day.
    files: tuple[DayFile, ...] = ()
    retired: tuple[Retired, ...] = ()
    next_number: int = 1
    # How many UTC days are kept, today among them; None is all.
    keep_days: int | None = None
    # Counts what was published: whoever notes before it what the next one will be can tell later if it was.
    revision: int = 0

    @property
    def visible(self) -> tuple[DayFile, ...]:
        return tuple(file for file in self.files if not file.doubles)


def read_manifest(path: Path) -> Manifest:
    """An absent manifest is an empty store. Raises StoreDamaged."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Manifest()
    try:
        return _from_json(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(f"{path} cannot be understood: {error}") from error


def replace_manifest(path: Path, manifest: Manifest) -> None:
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(_to_json(manifest), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes names that were created or renamed in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _to_json(manifest: Manifest) -> Mapping[str, object]:
    return {
        "version": FORMAT_VERSION,
        "next_number": manifest.next_number,
        "keep_days": manifest.keep_days,
        "revision": manifest.revision,
        "imports": [asdict(record) for record in manifest.imports],
        "files": [{**asdict(file), "day": file.day.isoformat()} for file in manifest.files],
        "retired": [{**asdict(file), "at": file.at.isoformat()} for file in manifest.retired],
    }


def _from_json(value: Any) -> Manifest:
    if value["version"] == _FIRST_VERSION:
        return _from_first_version(value)
    if value["version"] != FORMAT_VERSION:
        raise ValueError(f"version {value['version']}, this program knows {FORMAT_VERSION}")
    return Manifest(
        imports=tuple(_record(record) for record in value["imports"]),
        files=tuple(_day_file(file) for file in value["files"]),
        retired=tuple(
            Retired(**{**file, "at": datetime.fromisoformat(file["at"])}) for file in value["retired"]
        ),
        next_number=value["next_number"],
        keep_days=value["keep_days"],
        # Manifests of format 2 from before it was counted have none.
        revision=value.get("revision", 0),
    )


def _record(record: Any) -> ImportRecord:
    return ImportRecord(**{**record, "files": tuple(record["files"])})


def _day_file(file: Any) -> DayFile:
    rows = {int(number): rows for number, rows in file["rows_by_import"].items()}
    return DayFile(**{**file, "day": date.fromisoformat(file["day"]), "rows_by_import": rows})


def _from_first_version(value: Any) -> Manifest:
    imports = tuple(
        _record({**record, "number": number}) for number, record in enumerate(value["imports"], start=1)
    )
    numbers = {record.import_id: record.number for record in imports}
    files = tuple(
        DayFile(
            date.fromisoformat(file["day"]),
            file["import_id"],
            {numbers[file["import_id"]]: file["rows"]},
            file["bytes"],
        )
        for file in value["files"]
    )
    return Manifest(imports, files, next_number=len(imports) + 1)
