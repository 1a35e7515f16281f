"""Answers KQL about some Parquet files, in Kusto's types."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

import duckdb
import duckdb_kql

from hunts.kql.cells import cut_set
from hunts.kql.footprint import TABLE
from hunts.kql.window import Window
from hunts.sources.locked import Limits, Visible, locked_database, rows_sql
from hunts.telemetry.columns import RECORDED, TIME_COLUMN

_KINDS = {
    "VARCHAR": "string",
    "TIMESTAMP": "datetime",
    "TIMESTAMP WITH TIME ZONE": "datetime",
    "DATE": "datetime",
    "BIGINT": "long",
    "HUGEINT": "long",
    "UBIGINT": "long",
    "INTEGER": "int",
    "DOUBLE": "real",
    "BOOLEAN": "bool",
    "JSON": "dynamic",
    "UUID": "guid",
    "INTERVAL": "timespan",
}
_SET = re.compile(r"(\w+)=make_set\([^()]*(?:\([^()]*\)[^()]*)*, (\d+)\)")


@dataclass(frozen=True)
class Column:
    name: str
    kind: str


@dataclass(frozen=True)
class Table:
    columns: tuple[Column, ...]
    rows: list[list[object]]


class NotUnderstood(Exception):
    """`is_syntax`: the text is no KQL; otherwise it names what is not there."""

    def __init__(self, message: str, *, is_syntax: bool) -> None:
        self.is_syntax = is_syntax
        super().__init__(message)


class Engine:
    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def answer(self, kql: str, window: Window, time_column: str = TIME_COLUMN) -> Table:
        sql = _translated(kql, time_column)
        with (
            tempfile.TemporaryDirectory(prefix="footprint-lab-") as scratch,
            closing(locked_database(self._files, Limits(), Path(scratch) / "spill")) as connection,
        ):
            connection.execute(
                f'CREATE VIEW {TABLE} AS SELECT * RENAME ({TIME_COLUMN} AS "{time_column}")'
                f" FROM ({rows_sql(Visible(self._files, window))})"
            )
            return _fetched(connection, sql, dict(_SET.findall(kql)))


# Half a second each, and the same few texts come again and again.
@lru_cache(maxsize=1_000)
def _translated(kql: str, time_column: str) -> str:
    names = [time_column if name == TIME_COLUMN else name for name in RECORDED]
    try:
        return str(duckdb_kql.to_sql(kql, schema={TABLE: names}, allow_write=False))
    except duckdb_kql.KqlError as error:
        raise NotUnderstood(str(error), is_syntax=True) from error


def _fetched(connection: duckdb.DuckDBPyConnection, sql: str, limits: dict[str, str]) -> Table:
    try:
        cursor = connection.execute(sql)
        description = cursor.description or []
        rows = cursor.fetchall()
    except duckdb.CatalogException as error:
        raise NotUnderstood(_unresolved("table", str(error)), is_syntax=False) from error
    except duckdb.BinderException as error:
        raise NotUnderstood(_unresolved("scalar", str(error)), is_syntax=False) from error
    columns = tuple(Column(str(each[0]), _KINDS.get(str(each[1]), "dynamic")) for each in description)
    caps = [int(limits.get(column.name, "1048576")) for column in columns]
    return Table(columns, [_cells(row, columns, caps) for row in rows])


def _unresolved(what: str, words: str) -> str:
    """As Kusto puts it."""
    found = re.search(r"name (\S+) does not|column \"([^\"]+)\"", words)
    name = next((part for part in found.groups() if part), "?") if found else "?"
    if what == "table":
        return f"'where' operator: Failed to resolve table or column expression named '{name}'"
    return f"'where' operator: Failed to resolve scalar expression named '{name}'"


def _cells(row: Sequence[object], columns: Sequence[Column], caps: Sequence[int]) -> list[object]:
    return [
        cut_set(cell, cap) if column.kind == "dynamic" else _cell(cell)
        for cell, column, cap in zip(row, columns, caps, strict=True)
    ]


def _cell(cell: object) -> object:
    if isinstance(cell, datetime):
        moment = cell.astimezone(UTC).replace(tzinfo=None) if cell.tzinfo else cell
        # Kusto has seven decimals.
        return f"{moment.isoformat(timespec='microseconds')}0Z"
    if isinstance(cell, date):
        return f"{cell.isoformat()}T00:00:00.0000000Z"
    return cell
