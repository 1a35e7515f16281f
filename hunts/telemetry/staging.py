# ruff: noqa: S608  # SQL is made of column names and of paths, which are quoted
"""Rows on their way into a store.

Rows are written to CSV chunks, which DuckDB turns into Parquet parts by day while the next chunk is being
read. Equal events share their time, so doubles are found within a day, and one day at a time is sorted.
Memory stays bounded: a chunk in Python, DuckDB's own limit below, the rest on the disk beside the store.
"""

import csv
import io
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from pathlib import Path

from hunts.telemetry.cells import Row
from hunts.telemetry.columns import EVENT_COLUMNS, HAS_REPORT, RECORDED, TIME_COLUMN
from hunts.telemetry.engine import FILE_KEY, engine, write_sorted
from hunts.telemetry.errors import ImportFailed
from hunts.telemetry.lines import LINE_CAP
from hunts.telemetry.parquet import sql_parquet, sql_text

CHUNK_ROWS = 131_072
CHUNK_BYTES = 64 * 1024 * 1024
_ROWS_BETWEEN_SIZE_CHECKS = 256
# A row can be longer than its line: 1E15 becomes 1000000000000000.0.
_LONGEST_ROW = 8 * LINE_CAP

_PART_GROUP_ROWS = 2_048
# Characters of staged CSV that hardly ever stand in telemetry.
_BETWEEN, _QUOTE = "\x1f", "\x1e"
_NEED_QUOTES = (_QUOTE, "\n", "\r")
_BETWEENS = len(RECORDED) - 1


class StagedRows:
    """Use as a context manager; `add` rows, `finish`, then ask and write by day."""

    def __init__(self, folder: Path) -> None:
        self.rows = 0
        self._folder = folder
        self._chunks = 0
        self._writer: _ChunkWriter | None = None
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._pending: Future[None] | None = None
        self._parts: dict[date, list[Path]] = {}
        self._connection = engine(folder)

    def __enter__(self) -> "StagedRows":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._writer is not None:
            self._writer.close()
        self._connection.close()

    def add(self, rows: Sequence[Row]) -> None:
        """Some thousand at most: a chunk is looked at between them."""
        writer = self._writer or self._next_writer()
        writer.write(self.rows, rows)
        self.rows += len(rows)
        if writer.is_full():
            self._hand_over(writer)

    def finish(self) -> None:
        if self._writer is not None:
            self._hand_over(self._writer)
        self._wait()
        for part in sorted(self._folder.glob("chunk*/Day=*/*.parquet")):
            day = date.fromisoformat(part.parent.name.removeprefix("Day="))
            self._parts.setdefault(day, []).append(part)

    def days(self) -> Sequence[date]:
        return sorted(self._parts)

    def devices(self) -> int:
        return self._count("count(DISTINCT coalesce(nullif(DeviceId, ''), nullif(DeviceName, '')))")

    def names(self) -> int:
        return self._count(f"count(DISTINCT nullif({FILE_KEY}, ''))")

    def rows_of(self, day: date) -> int:
        [(rows,)] = self._connection.execute(
            f"SELECT count(*) FROM {sql_parquet(self._parts[day])}"
        ).fetchall()
        return int(rows)

    def write_day(self, day: date, stored: Sequence[Path], target: Path, doubles: Path) -> tuple[int, int]:
        """Writes the rows of a day, of equal ones the first: to `doubles` those of which one is stored.

        Returns how many went where; a file without rows is not written.
        """
        run = self._connection.execute
        run(f"CREATE OR REPLACE TEMP VIEW staged AS SELECT * FROM {sql_parquet(self._parts[day])}")
        if self._all_differ(stored):
            return self._write("FROM staged", self.rows_of(day), target), 0
        run("CREATE OR REPLACE TEMP TABLE first (Ordinal BIGINT, Stored BOOLEAN)")
        run(_first_of_each(EVENT_COLUMNS, HAS_REPORT, stored))
        if run(f"SELECT 1 FROM staged WHERE NOT ({HAS_REPORT}) LIMIT 1").fetchall():
            run(_first_of_each(tuple(RECORDED), f"NOT ({HAS_REPORT})", stored))
        return self._write_chosen("NOT Stored", target), self._write_chosen("Stored", doubles)

    def _all_differ(self, stored: Sequence[Path]) -> bool:
        """Whether that is certain at a glance: rows with different hashes differ."""
        names = ", ".join(EVENT_COLUMNS)
        rows = f"SELECT {names} FROM staged"
        if stored:
            rows += f" UNION ALL SELECT {names} FROM {sql_parquet(stored)} WHERE {HAS_REPORT}"
        [(differ,)] = self._connection.execute(
            f"SELECT count(*) = count(ReportId) AND count(*) = count(DISTINCT hash({names})) FROM ({rows})"
        ).fetchall()
        return bool(differ)

    def _write_chosen(self, condition: str, target: Path) -> int:
        chosen = f"(SELECT Ordinal FROM first WHERE {condition})"
        [(count,)] = self._connection.execute(f"SELECT count(*) FROM {chosen}").fetchall()
        return self._write(f"FROM staged SEMI JOIN {chosen} AS chosen USING (Ordinal)", int(count), target)

    def _write(self, rows: str, count: int, target: Path) -> int:
        if count:
            columns = (*RECORDED, f"{FILE_KEY} AS FileKey")
            write_sorted(self._connection, columns, rows, count, target)
        return count

    def _count(self, expression: str) -> int:
        parts = [part for parts in self._parts.values() for part in parts]
        if not parts:
            return 0
        [(number,)] = self._connection.execute(f"SELECT {expression} FROM {sql_parquet(parts)}").fetchall()
        return int(number)

    def _next_writer(self) -> "_ChunkWriter":
        self._chunks += 1
        self._writer = _ChunkWriter(self._folder / f"chunk{self._chunks:06d}.csv")
        return self._writer

    def _hand_over(self, writer: "_ChunkWriter") -> None:
        self._writer = None
        writer.close()
        self._wait()
        self._pending = self._pool.submit(self._part, writer.path, writer.rows)

    def _wait(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending.result()

    def _part(self, chunk: Path, rows: int) -> None:
        """Runs in the pool: the connection is used by one thread at a time."""
        [(written,)] = self._connection.execute(
            f"COPY (SELECT *, {TIME_COLUMN}::DATE AS Day FROM {_staged_csv(chunk)}) TO"
            f" {sql_text(chunk.with_suffix(''))} (FORMAT parquet, COMPRESSION lz4_raw, PARTITION_BY (Day),"
            f" ROW_GROUP_SIZE {_PART_GROUP_ROWS})"
        ).fetchall()
        if written != rows:
            raise ImportFailed(f"{rows} rows were staged and {written} came back")
        chunk.unlink()


class _ChunkWriter:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._unchecked = 0
        self._file = path.open("wb", buffering=1024 * 1024)
        self._text = io.TextIOWrapper(self._file, encoding="utf-8", newline="")
        self._csv = csv.writer(self._text, delimiter=_BETWEEN, quotechar=_QUOTE, lineterminator="\r\n")

    def write(self, ordinal: int, rows: Sequence[Row]) -> None:
        """Joining is a fifth of csv.writer's time, and few rows hold a character that needs quoting."""
        lines = list(map(_BETWEEN.join, rows))
        text = "".join(lines)
        self.rows += len(rows)
        self._unchecked += len(rows)
        if text.count(_BETWEEN) > _BETWEENS * len(rows) or any(mark in text for mark in _NEED_QUOTES):
            for number, row in enumerate(rows, start=ordinal):
                self._csv.writerow([number, *row])
            return
        self._text.writelines(
            [f"{number}{_BETWEEN}{line}\r\n" for number, line in enumerate(lines, start=ordinal)]
        )

    def is_full(self) -> bool:
        if self.rows >= CHUNK_ROWS:
            return True
        if self._unchecked < _ROWS_BETWEEN_SIZE_CHECKS:
            return False
        self._unchecked = 0
        return self._file.tell() >= CHUNK_BYTES

    def close(self) -> None:
        self._text.close()


def _first_of_each(keys: Sequence[str], condition: str, stored: Sequence[Path]) -> str:
    """SQL that finds, of the staged rows equal in these columns, the first, and whether one is stored."""
    names = ", ".join(keys)
    rows = f"SELECT Ordinal, {names} FROM staged WHERE {condition}"
    if stored:
        rows += f" UNION ALL SELECT -1, {names} FROM {sql_parquet(stored)} WHERE {condition}"
    return (
        f"INSERT INTO first SELECT min(Ordinal) FILTER (Ordinal >= 0), min(Ordinal) < 0"
        f" FROM ({rows}) GROUP BY {names} HAVING max(Ordinal) >= 0"
    )


def _staged_csv(path: Path) -> str:
    """Every setting is given, nothing is guessed: what was written is what is read.

    `strict_mode` is left alone: with "\r\n" it loses rows (DuckDB 2.0.0). Rows are counted afterwards.
    """
    columns = {"Ordinal": "BIGINT", **RECORDED}
    kinds = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    texts = ", ".join(f"'{name}'" for name, kind in columns.items() if kind == "VARCHAR")
    return (
        f"read_csv({sql_text(path)}, columns={{{kinds}}}, force_not_null=[{texts}], header=false,"
        f" auto_detect=false, delim='{_BETWEEN}', quote='{_QUOTE}', escape='{_QUOTE}', new_line='\\r\\n',"
        f" parallel=false, max_line_size={_LONGEST_ROW}, buffer_size={2 * _LONGEST_ROW})"
    )
