# ruff: noqa: S608  # SQL is made of names of columns and of a path, which are quoted
"""Rows of one Parquet file, in pieces that fit into memory.

A cell that a page holds once can stand in any number of rows, so neither the size of a file nor what it
says of itself tells how large its cells are. They are measured inside the engine before one leaves it.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from hunts.telemetry.columns import RECORDED
from hunts.telemetry.lines import LINE_CAP
from hunts.telemetry.parquet import sql_name, sql_text

NOT_UTF8 = -1
# The engine adds a column of this name; a file that has one cannot be read by place.
PLACE_COLUMN = "file_row_number"
# Rows that are measured at a time.
_FEWEST_ROWS, _MOST_ROWS = 100_000, 1_000_000
# The engine holds a vector of so many rows as a whole.
_VECTOR_ROWS = 2_048
_PIECE_BYTES = 16 * LINE_CAP
_LENGTHS_AT_ONCE = 10_000
_CELLS_AT_ONCE = 256
# Kinds of which no value is long.
_SHORT = frozenset(("BOOLEAN", "FLOAT", "DOUBLE", "DATE", "UUID"))
_SHORT_ENDS = ("INT", "INTEGER")
_SHORT_STARTS = ("DECIMAL(", "TIME")


class ParquetRows:
    """`kinds` are the columns that are wanted, with the engine's names of their kinds."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, kinds: Mapping[str, str]) -> None:
        self._connection = connection
        self._path = sql_text(path)
        self._kinds = kinds

    def parts(self) -> list[range]:
        """All rows by their places: whole row groups, as far as they are not too large."""
        groups = self._connection.execute(
            f"SELECT any_value(row_group_num_rows) FROM parquet_metadata({self._path})"
            " GROUP BY row_group_id ORDER BY row_group_id"
        ).fetchall()
        parts: list[range] = []
        first = end = 0
        for (rows,) in groups:
            end += rows
            while end - first >= _FEWEST_ROWS:
                parts.append(range(first, min(end, first + _MOST_ROWS)))
                first = parts[-1].stop
        if end > first:
            parts.append(range(first, end))
        return parts

    def lengths(self, rows: range) -> "array[int]":
        """Of each row, the bytes of its texts, or NOT_UTF8."""
        try:
            return self._lengths(rows, "strict")
        except duckdb.InvalidInputException:
            # Bytes that are no UTF-8 make the difference between leaving them out and replacing them.
            left_out, replaced = self._lengths(rows, "ignore"), self._lengths(rows, "replace")
            return array("q", map(lambda a, b: a if a == b else NOT_UTF8, left_out, replaced))

    def cells(self, rows: range, names: Sequence[str]) -> Iterator[list[object]]:
        """Every cell as text, or as bytes where the file says that they are no text; lists and structures
        in a text column as JSON."""
        wanted = (_as_text(name, self._kinds[name]) if name in self._kinds else "NULL" for name in names)
        for chunk in self._chunks(", ".join(wanted), rows, "ignore", _CELLS_AT_ONCE):
            yield from map(list, chunk)

    def _lengths(self, rows: range, validation: str) -> "array[int]":
        terms = [_bytes_of(name, kind) for name, kind in self._kinds.items() if not _is_short(kind)]
        lengths = array("q")
        for chunk in self._chunks(" + ".join(terms) or "0", rows, validation, _LENGTHS_AT_ONCE):
            lengths.extend(length for (length,) in chunk)
        return lengths

    def _chunks(
        self, wanted: str, rows: range, validation: str, at_once: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        found = self._connection.execute(
            f"SELECT {wanted} FROM read_parquet({self._path}, hive_partitioning=false, {PLACE_COLUMN}=true,"
            f" utf8_validation='{validation}') WHERE {PLACE_COLUMN} BETWEEN {rows.start} AND {rows.stop - 1}"
        )
        while chunk := found.fetchmany(at_once):
            yield chunk


def pieces(lengths: Sequence[int]) -> Iterator[range]:
    """Places in `lengths` that are read together; rows longer than a line may be are in none of them."""
    first = 0
    for start in range(0, len(lengths), _VECTOR_ROWS):
        stop = min(start + _VECTOR_ROWS, len(lengths))
        vector = lengths[start:stop]
        if max(vector) <= LINE_CAP and sum(vector) <= _PIECE_BYTES:
            continue
        if first < start:
            yield range(first, start)
        yield from _of_heavy(lengths, range(start, stop))
        first = stop
    if first < len(lengths):
        yield range(first, len(lengths))


def _of_heavy(lengths: Sequence[int], rows: range) -> Iterator[range]:
    first, size = rows.start, 0
    for place in rows:
        length = lengths[place]
        if first < place and (length > LINE_CAP or size + length > _PIECE_BYTES):
            yield range(first, place)
            first, size = place, 0
        if length > LINE_CAP:
            first = place + 1
        else:
            size += length
    if first < rows.stop:
        yield range(first, rows.stop)


def _is_short(kind: str) -> bool:
    return kind in _SHORT or kind.endswith(_SHORT_ENDS) or kind.startswith(_SHORT_STARTS)


def _bytes_of(name: str, kind: str) -> str:
    # For strlen alone the engine would read no texts, and not see what is no UTF-8.
    blob = sql_name(name) if kind == "BLOB" else f"encode({_as_text(name, kind)})"
    return f"coalesce(octet_length({blob}), 0)"


def _as_text(name: str, kind: str) -> str:
    quoted = sql_name(name)
    if kind == "BLOB":
        return quoted
    if RECORDED.get(name) == "VARCHAR" and kind.endswith(("]", ")")) and not kind.startswith("DECIMAL"):
        return f"to_json({quoted})::VARCHAR"
    return f"{quoted}::VARCHAR"
