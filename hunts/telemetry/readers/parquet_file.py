# ruff: noqa: S608  # SQL is made of a path, which is quoted
"""Parquet with the columns of DeviceNetworkEvents, as data lakes and notebooks keep them."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import duckdb

from hunts.telemetry.cells import COLUMN_NAMES, BadCell, CellReader
from hunts.telemetry.columns import RECORDED, TIME_COLUMN, TIME_NAMES
from hunts.telemetry.exports import Export, OpenExport
from hunts.telemetry.lines import LINE_CAP_WORDS
from hunts.telemetry.parquet import sql_parquet, sql_text
from hunts.telemetry.readers.base import BadLine, Item, Unrecognised
from hunts.telemetry.readers.csv_table import check_header
from hunts.telemetry.readers.parquet_rows import NOT_UTF8, PLACE_COLUMN, ParquetRows, pieces
from hunts.telemetry.unpacking import check_unpacked, most_unpacked

MAGIC = b"PAR1"
# Telemetry takes some twenty bytes a row.
_ROWS_PER_BYTE = 20
_ALWAYS_FINE_ROWS = 1_000_000
_SHOWN = 300
_TIME_CELL = COLUMN_NAMES.index(TIME_COLUMN)
_NOT_UTF8 = "not UTF-8"


class ParquetFile:
    title = "Parquet"

    def items(self, export: OpenExport, cells: CellReader) -> Iterator[Item]:
        """The line number of a bad line is the number of the row."""
        path = export.on_disk()
        with closing(_connection()) as connection:
            kinds = _checked_kinds(connection, path, export.export)
            wanted = {name: kind for name, kind in kinds.items() if name in RECORDED or name in TIME_NAMES}
            most = most_unpacked(export.export.bytes, export.export.limits)
            yield from _File(ParquetRows(connection, path, wanted), cells, most).items()


def check(export: Export) -> None:
    """Raises Unrecognised unless its columns answer the question."""
    with closing(_connection()) as connection:
        _checked_kinds(connection, export.path, export)


class _File:
    def __init__(self, rows: ParquetRows, cells: CellReader, most_bytes: int) -> None:
        self._rows = rows
        self._cells = cells
        self._most_bytes = most_bytes
        self._bytes = 0

    def items(self) -> Iterator[Item]:
        for part in self._rows.parts():
            number = part.start
            try:
                for item in self._of_part(part):
                    number += 1
                    yield item
            except duckdb.Error as error:
                said = f"rows {number + 1} to {part.stop} cannot be read: {error}"[:_SHOWN]
                yield BadLine(number + 1, said, b"")

    def _of_part(self, part: range) -> Iterator[Item]:
        """One item for each row."""
        lengths = self._rows.lengths(part)
        self._bytes += sum(length for length in lengths if length != NOT_UTF8)
        check_unpacked(self._bytes, self._most_bytes)
        place = 0
        for piece in pieces(lengths):
            yield from _too_long(part.start, range(place, piece.start))
            yield from self._of_piece(part.start, lengths, piece)
            place = piece.stop
        yield from _too_long(part.start, range(place, len(lengths)))

    def _of_piece(self, first: int, lengths: Sequence[int], piece: range) -> Iterator[Item]:
        rows = self._rows.cells(range(first + piece.start, first + piece.stop), (*COLUMN_NAMES, *TIME_NAMES))
        for place, row in zip(piece, rows, strict=True):
            number = first + place + 1
            if lengths[place] == NOT_UTF8:
                yield BadLine(number, _NOT_UTF8, _shown(row))
            else:
                yield self._item(number, row)

    def _item(self, number: int, row: list[object]) -> Item:
        try:
            texts = [cell.decode() if isinstance(cell, bytes) else cell for cell in row]
            recorded, times = texts[: len(COLUMN_NAMES)], texts[len(COLUMN_NAMES) :]
            recorded[_TIME_CELL] = next(filter(None, times), None)
            return [self._cells.finish(recorded)]
        except UnicodeDecodeError:
            return BadLine(number, _NOT_UTF8, _shown(row))
        except BadCell as error:
            return BadLine(number, str(error), _shown(row))


def _too_long(first: int, places: range) -> Iterator[BadLine]:
    for place in places:
        yield BadLine(first + place + 1, f"longer than {LINE_CAP_WORDS}", b"")


def _shown(row: Sequence[object]) -> bytes:
    return repr([cell for cell in row if cell is not None]).encode(errors="backslashreplace")


def _connection() -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "512MB",
        "threads": 1,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(config=config)
    connection.execute("SET TimeZone='UTC'")
    connection.execute("SET enable_progress_bar=false")
    return connection


def _checked_kinds(connection: duckdb.DuckDBPyConnection, path: Path, export: Export) -> dict[str, str]:
    """Of the columns of its top level. Raises Unrecognised for what must not be read."""
    try:
        [(rows,)] = connection.execute(
            f"SELECT sum(num_rows) FROM parquet_file_metadata({sql_text(path)})"
        ).fetchall()
        [(unpacked,)] = connection.execute(
            f"SELECT coalesce(sum(total_uncompressed_size), 0) FROM parquet_metadata({sql_text(path)})"
        ).fetchall()
        columns = connection.execute(f"DESCRIBE SELECT * FROM {sql_parquet([path])}").fetchall()
        names = _top_names(connection, path)
    except duckdb.Error as error:
        raise Unrecognised(f"is damaged Parquet: {error}") from error
    if rows > max(_ALWAYS_FINE_ROWS, _ROWS_PER_BYTE * path.stat().st_size):
        raise Unrecognised(f"unpacks to {rows:,} rows; unpack it yourself if you trust it")
    check_unpacked(unpacked, most_unpacked(export.bytes, export.limits))
    kinds = {name: kind for name, kind, *_ in columns}
    check_header(names)
    if PLACE_COLUMN in kinds:
        raise Unrecognised(f"has a column {PLACE_COLUMN}, which cannot be read; leave it out")
    return kinds


def _top_names(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """As they are written; of one that is there twice the engine calls the second otherwise."""
    schema = connection.execute(
        f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({sql_text(path)})"
    ).fetchall()
    names: list[str] = []
    inside = 0
    for name, children in schema[1:]:
        if not inside:
            names.append(name)
        inside += children - bool(inside)
    return names
