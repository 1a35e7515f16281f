"""The manifest of a store: the one file that says which Parquet files are visible.

It is replaced as a whole, by renaming, after everything it names is on the disk. So a reader sees the
store as it was before an import or as it is after it, whatever happens in between.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hunts.telemetry.errors import StoreDamaged

FORMAT_VERSION = 1


@dataclass(frozen=True)
class DayFile:
    """One Parquet file: the rows of one UTC day that one import brought."""

    day: date
    import_id: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class ImportRecord:
    import_id: str
    # ISO 8601, UTC.
    at: str
    # The names of the files that were read, without their folders.
    files: tuple[str, ...]
    rows_read: int
    new_rows: int
    bad_lines: int


@dataclass(frozen=True)
class Manifest:
    imports: tuple[ImportRecord, ...] = ()
    files: tuple[DayFile, ...] = ()


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
        "imports": [asdict(record) for record in manifest.imports],
        "files": [{**asdict(file), "day": file.day.isoformat()} for file in manifest.files],
    }


def _from_json(value: Any) -> Manifest:
    if value["version"] != FORMAT_VERSION:
        raise ValueError(f"version {value['version']}, this program knows {FORMAT_VERSION}")
    return Manifest(
        imports=tuple(
            ImportRecord(**{**record, "files": tuple(record["files"])}) for record in value["imports"]
        ),
        files=tuple(DayFile(**{**file, "day": date.fromisoformat(file["day"])}) for file in value["files"]),
    )
