"""Asks imported telemetry: the same KQL text as everywhere, over Parquet, through DuckDB."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock

import duckdb
import duckdb_kql

from hunts.kql.cells import cut_set, read_moment
from hunts.kql.footprint import TABLE, Dialect, Query
from hunts.kql.plan import newest_query
from hunts.kql.window import Window
from hunts.sources.base import Answer, Check, Probe, Step
from hunts.sources.errors import Rejected, SourceError, Truncated, Unavailable
from hunts.sources.locked import Limits, Visible, locked_connection
from hunts.sources.watch import Watch
from hunts.telemetry.columns import RECORDED, TIME_COLUMN
from hunts.telemetry.errors import StoreDamaged
from hunts.telemetry.names import file_key
from hunts.telemetry.store import Store

# As many rows as Log Analytics gives at most.
MAX_ROWS = 500_000
_ROWS_AT_ONCE = 1_000
PROBE_SECONDS = 30.0

# Without it a query with a join or a union has no translation.
_SCHEMA = {TABLE: list(RECORDED)}

Cells = tuple[object, ...]


# What is quoted is matched as a whole, so nothing inside of it is taken for a call.
_LOWER_OF_LITERAL = re.compile(r"""\blower\(('(?:[^']|'')*')\)|'(?:[^']|'')*'|"(?:[^"]|"")*\"""")


def fold_literals(sql: str) -> str:
    """Lowers each `lower('…')` beforehand, as the connection's own macro would: planning a thousand names
    takes a third of the time then."""
    return _LOWER_OF_LITERAL.sub(lambda found: file_key(found[1]) if found[1] else found[0], sql)


class LocalAdapter:
    dialect = Dialect(TIME_COLUMN)

    def __init__(
        self, store: Store, *, memory_limit: str = "1GB", threads: int = 2, max_rows: int = MAX_ROWS
    ) -> None:
        self._store = store
        self._limits = Limits(memory_limit, threads)
        self._max_rows = max_rows
        self._lock = Lock()
        self._watches: set[Watch] = set()

    def ask(self, query: Query, window: Window, *, timeout: float) -> Answer:
        began = time.monotonic()
        with self._watched(timeout) as watch, _errors_told():
            sql = fold_literals(duckdb_kql.to_sql(query.text, schema=_SCHEMA, allow_write=False))
            columns, rows, size = self._run(
                sql, query, Visible(self._files(window), window, query.names), watch
            )
            watch.check()
        return Answer(columns, rows, bytes=size, seconds=time.monotonic() - began)

    def interrupt(self) -> None:
        with self._lock:
            for watch in self._watches:
                watch.interrupt()

    def probe(self) -> Probe:
        try:
            files = self._files(Window())
        except SourceError as error:
            return Probe((Check(Step.REACHED, False, str(error), error.said, "Look at the store's folder."),))
        reached = Check(Step.REACHED, True, f"The store has {len(files)} Parquet files.")
        try:
            answer = self.ask(newest_query(self.dialect), Window(), timeout=PROBE_SECONDS)
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

    def _files(self, window: Window) -> tuple[Path, ...]:
        try:
            return self._store.parquet_files(window.first_day, window.last_day)
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
        self, sql: str, query: Query, visible: Visible, watch: Watch
    ) -> tuple[tuple[str, ...], list[Cells], int]:
        with (
            tempfile.TemporaryDirectory(prefix="footprint-ask-") as scratch,
            closing(locked_connection(visible, self._limits, Path(scratch))) as connection,
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
            for cells in chunk:
                for place, limit in sets:
                    # duckdb-kql does not know make_set's limit; cut here, a set cannot fill the memory.
                    cell = cells[place]
                    if not isinstance(cell, str) or cell.count(",") >= limit:
                        cells = (*cells[:place], cut_set(cell, limit), *cells[place + 1 :])
                rows.append(cells)
                size += sum([len(cell) for cell in cells if isinstance(cell, str)])
            if len(rows) > self._max_rows:
                raise Truncated(f"The answer has more than {self._max_rows:,} rows.")
        return rows, size


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
