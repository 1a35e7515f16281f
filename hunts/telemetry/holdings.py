# ruff: noqa: S608  # SQL is made of column names and of paths, which are quoted
"""What a store holds, told cheaply: from the manifest, or from one column of its files."""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from hunts.telemetry.columns import TIME_COLUMN
from hunts.telemetry.names import file_key
from hunts.telemetry.parquet import sql_parquet
from hunts.telemetry.store import Store


@dataclass(frozen=True)
class NameRows:
    # With ASCII letters lower-cased; "" where the process is unknown.
    name: str
    rows: int


def names_by_rows(
    store: Store, limit: int = 50, *, skip: int = 0, containing: str = ""
) -> tuple[list[NameRows], int]:
    """The file names with most rows, and how many there are. Reads one sorted column, which packs to
    next to nothing. `containing` is looked for with ASCII letters lower-cased."""
    found = _ask(
        "SELECT FileKey, count(*), count(*) OVER () FROM {rows} WHERE contains(FileKey, ?)"
        " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ? OFFSET ?",
        store.parquet_files(),
        file_key(containing),
        limit,
        skip,
    )
    names = [NameRows(str(name), int(str(rows))) for name, rows, _ in found]
    return names, int(str(found[0][2])) if found else 0


def newest_event(store: Store) -> datetime | None:
    """Of the newest day only."""
    newest = max((file.day for file in store.manifest().visible), default=None)
    if newest is None:
        return None
    [(time,)] = _ask(f"SELECT max({TIME_COLUMN}) FROM {{rows}}", store.parquet_files(newest, newest))
    return time.replace(tzinfo=UTC) if isinstance(time, datetime) else None


def rows_by_import(store: Store) -> dict[str, int]:
    """Visible rows by import id: what an import brought first and nobody has removed."""
    manifest = store.manifest()
    rows: Counter[int] = Counter()
    for file in manifest.visible:
        rows.update(file.rows_by_import)
    return {record.import_id: rows[record.number] for record in manifest.imports}


def disk_used(store: Store) -> int:
    """Bytes of Parquet: visible rows, doubles, and retired files that are not deleted yet."""
    manifest = store.manifest()
    return sum(file.bytes for file in manifest.files) + sum(file.bytes for file in manifest.retired)


def _ask(sql: str, files: tuple[Path, ...], *values: object) -> list[tuple[object, ...]]:
    if not files:
        return []
    with closing(duckdb.connect(config={"memory_limit": "256MB", "threads": 1})) as connection:
        return connection.execute(sql.replace("{rows}", sql_parquet(files)), list(values)).fetchall()
