"""What asking any service over HTTP has in common: a deadline, interrupts, one second try after a
token was not believed, and the probe."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from footprint.azure.wire import Wire
from hunts.kql.footprint import Dialect, Query
from hunts.kql.window import Window
from hunts.sources.base import Adapter, Answer, Probe
from hunts.sources.errors import NotSignedIn, OutOfRetention, Refused, Rejected, SourceError, Truncated
from hunts.sources.probes import Subject, look_at
from hunts.sources.tables import fitted
from hunts.sources.watch import Watch


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Call:
    """One try at a question."""

    query: Query
    window: Window
    watch: Watch
    wire: Wire


@dataclass(frozen=True)
class Received:
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    bytes: int
    partial: str | None = None


class RemoteAdapter(ABC):
    def __init__(
        self,
        dialect: Dialect,
        *,
        max_rows: int,
        retention_days: int | None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._dialect = dialect
        self._max_rows = max_rows
        self._retention_days = retention_days
        self._clock = clock
        self._lock = Lock()
        self._watches: set[Watch] = set()

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    def ask(self, query: Query, window: Window, *, timeout: float) -> Answer:
        began = time.monotonic()
        self._check_retention(window)
        with self._on_a_wire(timeout) as (watch, wire):
            received = self._twice_if_need_be(Call(query, window, watch, wire))
            answer = self._answer(query, received)
        return replace(answer, seconds=time.monotonic() - began)

    def interrupt(self) -> None:
        with self._lock:
            for watch in self._watches:
                watch.interrupt()

    def probe(self, through: Adapter | None = None) -> Probe:
        return look_at(through or self, self._subject(), self._reach)

    @abstractmethod
    def _exchange(self, call: Call) -> Received:
        """Asks once. Raises the errors of `hunts.sources.errors`."""

    @abstractmethod
    def _forget(self) -> None:
        """The token, and whatever it came from."""

    @abstractmethod
    def _knock(self, watch: Watch, wire: Wire) -> None:
        """Raises Unavailable when nothing answers at the endpoint. Needs no token."""

    @abstractmethod
    def _subject(self) -> Subject: ...

    def _reach(self, timeout: float) -> None:
        with self._on_a_wire(timeout) as (watch, wire):
            self._knock(watch, wire)

    def _twice_if_need_be(self, call: Call) -> Received:
        try:
            return self._exchange(call)
        except NotSignedIn:
            call.watch.check()
            # The token may have run out, or the secret been changed, since we signed in.
            self._forget()
            return self._exchange(call)

    def _answer(self, query: Query, received: Received) -> Answer:
        columns, rows = fitted(query, received.columns, received.rows)
        if len(rows) >= self._max_rows:
            raise Truncated(f"The answer has {len(rows):,} rows, as many as are given at once.")
        return Answer(columns, rows, partial=received.partial, bytes=received.bytes)

    def _check_retention(self, window: Window) -> None:
        if self._retention_days is None or window.until is None:
            return
        oldest = self._clock() - timedelta(days=self._retention_days)
        if window.until <= oldest:
            raise OutOfRetention(f"Only the last {self._retention_days} days are kept there.")

    @contextmanager
    def _on_a_wire(self, timeout: float) -> Iterator[tuple[Watch, Wire]]:
        watch, wire = Watch(timeout), Wire()
        with self._lock:
            self._watches.add(watch)
        try:
            with watch.over(wire), wire.held():
                try:
                    yield watch, wire
                except SourceError as error:
                    # A wire that we cut looks like a service that broke off.
                    if not isinstance(error, Refused | Rejected | Truncated):
                        watch.check()
                    raise
            watch.check()
        finally:
            with self._lock:
                self._watches.remove(watch)
