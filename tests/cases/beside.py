"""Work on a second connection, beside the test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from tests.house import DEADLINE_SECONDS, wait_until


class Beside:
    """Runs `work` in a thread with a connection of its own; `result()` waits and raises what it raised."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._outcome: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome = self._work()
        except BaseException as error:  # noqa: BLE001  # handed to the test's own thread
            self._error = error
        finally:
            connection.close()

    @property
    def is_done(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> Any:
        self._thread.join(DEADLINE_SECONDS)
        assert self.is_done, "The other connection is stuck."
        if self._error is not None:
            raise self._error
        return self._outcome


@contextmanager
def held_open(work: Callable[[], Any]) -> Iterator[None]:
    """`work` has run on another connection, in a transaction that commits when the block ends."""
    ran, may_commit = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            work()
            ran.set()
            assert may_commit.wait(DEADLINE_SECONDS)

    holder = Beside(hold)
    wait_until(lambda: ran.is_set() or holder.is_done)
    try:
        yield
    finally:
        may_commit.set()
        holder.result()


def wait_until_blocked() -> None:
    """Returns when a connection to this database waits for a lock."""
    wait_until(_someone_waits, why=lambda: "Nobody waits for a lock.")


def _someone_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT EXISTS (SELECT 1 FROM pg_stat_activity
                            WHERE datname = current_database() AND wait_event_type = 'Lock')
        """)
        return bool(cursor.fetchone()[0])


class Pause:
    """Stops whoever executes through it right after the first statement that holds `text`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._reached, self._may_go_on = threading.Event(), threading.Event()

    def __call__(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        outcome = execute(sql, *arguments)
        if self._text in sql and not self._reached.is_set():
            self._reached.set()
            assert self._may_go_on.wait(DEADLINE_SECONDS)
        return outcome

    def wait_until_reached(self) -> None:
        assert self._reached.wait(DEADLINE_SECONDS)

    def go_on(self) -> None:
        self._may_go_on.set()
