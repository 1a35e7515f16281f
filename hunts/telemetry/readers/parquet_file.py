# ruff: noqa: S608  # SQL is made of names of columns and of a path, which are quoted
"""Parquet with the columns of DeviceNetworkEvents, as data lakes and notebooks keep them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb

from hunts.telemetry.cells import COLUMN_NAMES, BadCell, CellReader, Cells
from hunts.telemetry.columns import RECORDED, TIME_COLUMN, TIME_NAMES
from hunts.telemetry.exports import OpenExport
from hunts.telemetry.parquet import sql_name, sql_parquet, sql_text
from hunts.telemetry.readers.base import BadLine, Item, Unrecognised
from hunts.telemetry.readers.csv_table import check_header

MAGIC = b"PAR1"
# Telemetry takes some twenty bytes a row.
_ROWS_PER_BYTE = 20
_ALWAYS_FINE_ROWS = 1_000_000
_ROWS_AT_ONCE = 1_000
_TIME_CELL = COLUMN_NAMES.index(TIME_COLUMN)


class ParquetFile:
    title = "Parquet"

    def items(self, export: OpenExport, cells: CellReader) -> Iterator[Item]:
        """The line number of a bad line is the number of the row."""
        path = export.on_disk()
        with closing(_connection()) as connection:
            number = 0
            try:
                for number, row in enumerate(_rows(connection, path), start=1):
                    try:
                        yield cells.finish(row)
                    except BadCell as error:
                        yield BadLine(number, str(error), repr(row).encode(errors="backslashreplace"))
            except duckdb.Error as error:
                yield BadLine(number + 1, f"from here on the file cannot be read: {error}"[:300], b"")


def check(path: Path) -> None:
    """Raises Unrecognised unless its columns answer the question."""
    with closing(_connection()) as connection:
        check_header(_columns(connection, path))


def _connection() -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "1GB",
        "threads": 1,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(config=config)
    connection.execute("SET TimeZone='UTC'")
    return connection


def _columns(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """Of its top level. Raises Unrecognised for damaged files and for more rows than the bytes can hold."""
    try:
        [(rows,)] = connection.execute(
            f"SELECT sum(num_rows) FROM parquet_file_metadata({sql_text(path)})"
        ).fetchall()
        names = connection.execute(f"DESCRIBE SELECT * FROM {sql_parquet([path])}").fetchall()
    except duckdb.Error as error:
        raise Unrecognised(f"is damaged Parquet: {error}") from error
    if rows > max(_ALWAYS_FINE_ROWS, _ROWS_PER_BYTE * path.stat().st_size):
        raise Unrecognised(f"unpacks to {rows:,} rows; unpack it yourself if you trust it")
    return [name for name, *_ in names]


def _rows(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[Cells]:
    """Every cell as text; what is no text in a text column as JSON."""
    columns = _columns(connection, path)
    check_header(columns)
    kinds = dict(
        connection.execute(
            f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {sql_parquet([path])})"
        ).fetchall()
    )
    picked = [_picked(name, kinds) for name in COLUMN_NAMES]
    times = [_as_text(name, kinds[name]) for name in TIME_NAMES if name in kinds]
    picked[_TIME_CELL] = f"coalesce({', '.join(times)})"
    cursor = connection.execute(f"SELECT {', '.join(picked)} FROM {sql_parquet([path])}")
    while chunk := cursor.fetchmany(_ROWS_AT_ONCE):
        yield from map(list, chunk)


def _picked(name: str, kinds: dict[str, str]) -> str:
    return _as_text(name, kinds[name]) if name in kinds else "NULL"


def _as_text(name: str, kind: str) -> str:
    quoted = sql_name(name)
    if kind == "BLOB":
        return f"decode({quoted})"
    if RECORDED.get(name) == "VARCHAR" and kind.endswith(("]", ")")) and not kind.startswith("DECIMAL"):
        return f"to_json({quoted})::VARCHAR"
    return f"{quoted}::VARCHAR"
