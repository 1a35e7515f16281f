"""Exports in the shapes that the portals and the streaming API write, and what a store made of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from hunts.telemetry.columns import COLUMNS
from hunts.telemetry.exports import exports_of
from hunts.telemetry.progress import ImportSummary
from hunts.telemetry.readers.base import Reader
from hunts.telemetry.readers.choose import choose_reader
from hunts.telemetry.store import Store
from hunts.telemetry.unpacking import Limits

Columns = Mapping[str, Any]


def row(**columns: Any) -> dict[str, Any]:
    return {
        "Timestamp": "2026-11-02T12:00:00.1234567Z",
        "DeviceId": "d1",
        "DeviceName": "lis-w-0001",
        "ActionType": "ConnectionSuccess",
        "InitiatingProcessFileName": "a.exe",
        "RemoteIP": "203.0.113.7",
        "RemoteUrl": "www.example.test",
        "RemotePort": 443,
        "ReportId": 1,
        **columns,
    }


def json_line(properties: Columns, category: str = "AdvancedHunting-DeviceNetworkEvents") -> str:
    return json.dumps({"time": "2026-11-02T12:01:00Z", "category": category, "properties": dict(properties)})


def write_json_lines(path: Path, rows: Iterable[Columns]) -> Path:
    return write_text(path, "".join(json_line(each) + "\r\n" for each in rows))


def write_defender_csv(path: Path, rows: Sequence[Columns]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_log_analytics_csv(path: Path, rows: Sequence[Columns]) -> Path:
    """With the byte order mark and the time zone in the header."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["TimeGenerated [UTC]" if name == "Timestamp" else name for name in rows[0]])
        writer.writerows(each.values() for each in rows)
    return path


def write_text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def stored(store: Store, *names: str) -> list[tuple[Any, ...]]:
    """The rows of a store, all columns unless some are named, in a stable order."""
    files = [str(path) for path in store.parquet_files()]
    if not files:
        return []
    columns = ", ".join(names or COLUMNS)
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT {columns} FROM read_parquet(?)", [files]).fetchall()
    return sorted(rows, key=repr)


def pairs(store: Store) -> set[tuple[str, str, str]]:
    return set(stored(store, "FileKey", "RemoteIP", "RemoteUrl"))


def reader_of(path: Path) -> Reader:
    [export] = exports_of(path, path.name, Limits())
    return choose_reader(export)


def bad_lines(store: Store, summary: ImportSummary) -> list[dict[str, Any]]:
    text = store.bad_lines_of(summary.import_id).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
