"""Things with connections and threads inside, which must not cross a fork."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class PerProcess(Generic[Thing]):
    """Made when it is first wanted, and again in a process that was forked off since."""

    def __init__(self, make: Callable[[], Thing]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: tuple[int, Thing] | None = None
        # Of the process before the fork. To take it down here would wait for threads that are not here, and
        # crashes where they are a database's.
        self._inherited: list[Thing] = []

    def get(self) -> Thing:
        with self._lock:
            if self._made is not None and self._made[0] != os.getpid():
                self._inherited.append(self._made[1])
                self._made = None
            if self._made is None:
                self._made = (os.getpid(), self._make())
            return self._made[1]

    def forget(self) -> None:
        """The next one who asks gets a new one. Who holds the old one may finish with it."""
        with self._lock:
            self._made = None
