"""Asks imported telemetry: the same KQL text as everywhere, over Parquet, through DuckDB."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import duckdb
import duckdb_kql

from hunts.kql.cells import cut_set, read_moment
from hunts.kql.footprint import Dialect, Query
from hunts.kql.plan import newest_query
from hunts.kql.window import Window
from hunts.sources.base import Adapter, Answer, Check, Probe, Step
from hunts.sources.errors import Rejected, SourceError, Truncated, Unavailable
from hunts.sources.kept import KeptDatabase
from hunts.sources.locked import Limits, Visible
from hunts.sources.translated import translated
from hunts.sources.watch import Watch
from hunts.telemetry.columns import TIME_COLUMN
from hunts.telemetry.errors import StoreDamaged
from hunts.telemetry.store import Store

# As many rows as Log Analytics gives at most.
MAX_ROWS = 500_000
_ROWS_AT_ONCE = 1_000
PROBE_SECONDS = 30.0

Cells = tuple[object, ...]


class LocalAdapter:
    dialect = Dialect(TIME_COLUMN)

    def __init__(
        self, store: Store, *, memory_limit: str = "1GB", threads: int = 2, max_rows: int = MAX_ROWS
    ) -> None:
        self._store = store
        self._kept = KeptDatabase(store.folder, Limits(memory_limit, threads))
        self._max_rows = max_rows
        self._lock = Lock()
        self._watches: set[Watch] = set()

    def ask(self, query: Query, window: Window, *, timeout: float) -> Answer:
        began = time.monotonic()
        with self._watched(timeout) as watch, _errors_told():
            columns, rows, size = self._run(translated(query.text), query, window, watch)
            watch.check()
        return Answer(columns, rows, bytes=size, seconds=time.monotonic() - began)

    def interrupt(self) -> None:
        with self._lock:
            for watch in self._watches:
                watch.interrupt()

    def probe(self, through: Adapter | None = None) -> Probe:
        try:
            files, _ = self._files(Window())
        except SourceError as error:
            return Probe((Check(Step.REACHED, False, str(error), error.said, "Look at the store's folder."),))
        reached = Check(Step.REACHED, True, f"The store has {len(files)} Parquet files.")
        try:
            answer = (through or self).ask(newest_query(self.dialect), Window(), timeout=PROBE_SECONDS)
        except SourceError as error:
            return Probe(
                (reached, Check(Step.TABLE, False, str(error), error.said, "Import the exports again."))
            )
        table = Check(Step.TABLE, True, "The telemetry can be read.")
        newest = [cell for (cell,) in answer.rows if cell is not None]
        if not newest:
            empty = Check(Step.NEWEST, False, "There is no telemetry yet.", advice="Import an export.")
            return Probe((reached, table, empty))
        moment = read_moment(newest[0])
        found = Check(Step.NEWEST, True, f"The newest event is of {moment:%Y-%m-%d %H:%M} UTC.")
        return Probe((reached, table, found), moment)

    def _files(self, window: Window) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """All that are visible, and of the same moment those of the window's days."""
        try:
            manifest = self._store.manifest()
            days = (window.first_day, window.last_day)
            return self._store.paths_of(manifest), self._store.paths_of(manifest, *days)
        except (OSError, StoreDamaged) as error:
            raise Unavailable("The store of imported telemetry cannot be read.", said=str(error)) from error

    @contextmanager
    def _watched(self, timeout: float) -> Iterator[Watch]:
        watch = Watch(timeout)
        with self._lock:
            self._watches.add(watch)
        try:
            yield watch
        finally:
            with self._lock:
                self._watches.remove(watch)

    def _run(
        self, sql: str, query: Query, window: Window, watch: Watch
    ) -> tuple[tuple[str, ...], list[Cells], int]:
        files, asked = self._files(window)
        with (
            self._kept.connection(files, Visible(asked, window, query.names)) as connection,
            watch.over(connection),
        ):
            cursor = connection.execute(sql)
            columns = tuple(str(column[0]) for column in cursor.description or ())
            rows, size = self._fetch(cursor, dict(query.sets), columns)
        return columns, rows, size

    def _fetch(
        self, cursor: duckdb.DuckDBPyConnection, limits: dict[str, int], columns: tuple[str, ...]
    ) -> tuple[list[Cells], int]:
        sets = [(place, limits[name]) for place, name in enumerate(columns) if name in limits]
        rows: list[Cells] = []
        size = 0
        while chunk := cursor.fetchmany(_ROWS_AT_ONCE):
            by_column = list(zip(*chunk, strict=True))
            for place, limit in sets:
                # duckdb-kql does not know make_set's limit; cut here, a set cannot fill the memory.
                by_column[place] = _cut(by_column[place], limit)
            size += sum(_length(cells) for cells in by_column)
            rows += zip(*by_column, strict=True)
            if len(rows) > self._max_rows:
                raise Truncated(f"The answer has more than {self._max_rows:,} rows.")
        return rows, size


def _cut(cells: Cells, limit: int) -> Cells:
    # Most sets are short: no set of this many values has fewer commas.
    if all(isinstance(cell, str) and cell.count(",") < limit for cell in cells):
        return cells
    return tuple(cut_set(cell, limit) for cell in cells)


def _length(cells: Cells) -> int:
    return sum([len(cell) for cell in cells if isinstance(cell, str)])


@contextmanager
def _errors_told() -> Iterator[None]:
    try:
        yield
    except duckdb_kql.KqlError as error:
        raise Rejected("The query cannot be translated.", said=str(error)) from error
    except duckdb.OutOfMemoryException as error:
        raise Truncated(
            "The answer needs more memory than the local source may use.", said=str(error)
        ) from error
    except (duckdb.OperationalError, duckdb.InternalError, duckdb.FatalException) as error:
        raise Unavailable("The imported telemetry cannot be read.", said=str(error)) from error
    except duckdb.Error as error:
        raise Rejected("The query cannot be answered.", said=str(error)) from error
