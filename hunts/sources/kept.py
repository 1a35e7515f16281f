"""The database that answers about a store, kept from one question to the next.

Opening one and reading where the rows of every file lie takes longer than a rare name does.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import duckdb

from hunts.sources.locked import Limits, Visible, locked_database, question_connection

# Less than the time that a store leaves a folder of scratch alone.
_KEPT_SECONDS = 3_600.0


@dataclass
class _Opened:
    files: Sequence[Path]
    database: duckdb.DuckDBPyConnection
    at: float = field(default_factory=time.monotonic)
    questions: int = 0


class KeptDatabase:
    """May be asked by several threads, which share its limits."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """`folder` is on the disk that has room for what does not fit into memory."""
        self._folder = folder
        self._limits = limits
        self._lock = Lock()
        self._opened: _Opened | None = None

    @contextmanager
    def connection(self, files: Sequence[Path], visible: Visible) -> Iterator[duckdb.DuckDBPyConnection]:
        """For one question. `files` are all that any question may see now; of them `visible` shows some."""
        opened = self._take(files)
        try:
            connection = question_connection(opened.database, visible)
            try:
                yield connection
            finally:
                connection.close()
        except BaseException:
            # Who knows what state it is in.
            self._let_go(opened)
            raise
        finally:
            self._give_back(opened)

    def _take(self, files: Sequence[Path]) -> _Opened:
        with self._lock:
            opened = self._opened
            if opened is None or opened.files != files or time.monotonic() - opened.at > _KEPT_SECONDS:
                scratch = self._folder / f"scratch-{os.getpid()}-{secrets.token_hex(4)}"
                before, opened = opened, _Opened(files, locked_database(files, self._limits, scratch))
                self._opened = opened
                _close_unless_asked(before)
            opened.questions += 1
            return opened

    def _let_go(self, opened: _Opened) -> None:
        with self._lock:
            if self._opened is opened:
                self._opened = None

    def _give_back(self, opened: _Opened) -> None:
        with self._lock:
            opened.questions -= 1
            if self._opened is not opened:
                _close_unless_asked(opened)


def _close_unless_asked(opened: _Opened | None) -> None:
    if opened is not None and not opened.questions:
        opened.database.close()
