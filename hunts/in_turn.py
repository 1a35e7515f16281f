"""A source whose every question waits for its turn, for whoever asks without a slice: a test, a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic, sleep
from uuid import uuid4

from hunts import limiter
from hunts.adapters import adapter_for
from hunts.kql.footprint import Dialect, Query
from hunts.kql.window import Window
from hunts.limiter import Holder, NoTurn, turn
from hunts.models import Source
from hunts.sources.base import Adapter, Answer, Probe
from hunts.sources.errors import Throttled

_RENEW_SECONDS = limiter.TURN_SECONDS / 3


class InTurn:
    """An adapter. Beside what adapters raise, NoTurn when no turn was to be had within `patience` seconds."""

    def __init__(self, source: Source, *, patience: float) -> None:
        self._source = source
        self._adapter: Adapter = adapter_for(source)
        self._patience = patience

    @property
    def dialect(self) -> Dialect:
        return self._adapter.dialect

    def ask(self, query: Query, window: Window, *, timeout: float) -> Answer:
        until = monotonic() + self._patience
        while True:
            try:
                return self._ask(query, window, timeout)
            except NoTurn as error:
                if monotonic() + error.wait_seconds > until:
                    raise
                sleep(error.wait_seconds)

    def interrupt(self) -> None:
        self._adapter.interrupt()

    def probe(self, through: Adapter | None = None) -> Probe:
        return self._adapter.probe(through or self)

    def _ask(self, query: Query, window: Window, timeout: float) -> Answer:
        holder = Holder(self._source, f"question {uuid4()}")
        with turn(holder, Event()), _kept(holder):
            try:
                return self._adapter.ask(query, window, timeout=timeout)
            except Throttled as error:
                limiter.pause(self._source, error.retry_after)
                raise


@contextmanager
def _kept(holder: Holder) -> Iterator[None]:
    """Renews the turn as long as the question takes; one whose process dies is free again soon."""
    stop = Event()

    def renew() -> None:
        while not stop.wait(_RENEW_SECONDS):
            limiter.renew(holder)

    thread = Thread(target=renew, name="turn", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
