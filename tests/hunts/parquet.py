"""Parquet files as a store has them, written row by row: also with rows no export would have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from hunts.kql.footprint import Query, seed_query
from hunts.kql.rows import Row, read_rows
from hunts.kql.window import Window
from hunts.sources.local import LocalAdapter
from hunts.telemetry.columns import COLUMNS
from hunts.telemetry.manifest import Manifest
from hunts.telemetry.names import file_key
from hunts.telemetry.store import Store

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
ALWAYS = Window()
SECONDS = 60.0


class StoreOf(Store):
    """Shows the files it is given, and nothing else of a store."""

    def __init__(self, *files: Path) -> None:
        super().__init__(Path("/nowhere"))
        self._files = files

    def paths_of(
        self, manifest: Manifest, first: date | None = None, last: date | None = None
    ) -> tuple[Path, ...]:
        return self._files


def recorded(name: str, ip: str = "", dns: str = "", at: datetime = NOON, **columns: Any) -> dict[str, Any]:
    return {
        "TimeGenerated": at.astimezone(UTC).replace(tzinfo=None),
        "InitiatingProcessFileName": name,
        "FileKey": file_key(name),
        "RemoteIP": ip,
        "RemoteUrl": dns,
        **columns,
    }


def write_parquet(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    with duckdb.connect() as connection:
        columns = ", ".join(
            f"{name} {kind} DEFAULT {repr('') if kind == 'VARCHAR' else 'NULL'}"
            for name, kind in COLUMNS.items()
        )
        connection.execute(f"CREATE TABLE events ({columns})")
        for row in rows:
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO events ({', '.join(row)}) VALUES ({marks})", list(row.values()))
        connection.table("events").order("FileKey").write_parquet(str(path))
    return path


def adapter_over(path: Path, rows: Iterable[Mapping[str, Any]], **options: Any) -> LocalAdapter:
    return LocalAdapter(StoreOf(write_parquet(path / "events.parquet", rows)), **options)


def rows_of(adapter: LocalAdapter, *queries: Query, window: Window = ALWAYS) -> list[Row]:
    answers = [adapter.ask(query, window, timeout=SECONDS) for query in queries]
    return [row for answer in answers for row in read_rows(answer.columns, answer.rows)]


def pairs_of_seed(adapter: LocalAdapter, name: str) -> set[tuple[object, ...]]:
    return set(adapter.ask(seed_query(name), ALWAYS, timeout=SECONDS).rows)
