"""Ends a running question at its deadline, or when it is told to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Protocol

import duckdb

from hunts.sources.errors import Interrupted, SourceError, TimedOut

# An interrupt that arrives between two statements is lost, so it is repeated until the question ends.
REPEAT_SECONDS = 0.02


class Interruptible(Protocol):
    """What a question runs over: a DuckDB connection, or the sockets of a call."""

    def interrupt(self) -> None: ...


class Watch:
    """Of one question; the time runs from its making."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._told = Event()
        self._awake = Event()
        self._done = Event()

    def interrupt(self) -> None:
        self._told.set()
        self._awake.set()

    def check(self) -> None:
        """Raises when the question must not go on."""
        if self._told.is_set():
            raise Interrupted("The question was stopped.")
        if time.monotonic() >= self._deadline:
            raise TimedOut(f"No whole answer within {self._timeout:g} seconds.")

    @property
    def remaining(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    @contextmanager
    def over(self, connection: Interruptible) -> Iterator[None]:
        """While this holds, the connection is interrupted when the time comes."""
        self.check()
        thread = Thread(target=self._stop_in_time, args=(connection,), name="watch", daemon=True)
        thread.start()
        try:
            yield
        except duckdb.InterruptException as error:
            raise self._reason() from error
        finally:
            self._done.set()
            self._awake.set()
            thread.join()

    def _reason(self) -> SourceError:
        try:
            self.check()
        except SourceError as error:
            return error
        return Interrupted("The question was stopped from outside.")

    def _stop_in_time(self, connection: Interruptible) -> None:
        self._awake.wait(self.remaining)
        while not self._done.is_set():
            connection.interrupt()
            self._done.wait(REPEAT_SECONDS)
