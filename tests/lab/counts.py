"""How many questions came, how many at once, and how many within any stretch of time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Counts:
    def __init__(self) -> None:
        self._lock = Lock()
        self._began: list[float] = []
        self._now = 0
        self._most_at_once = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        with self._lock:
            self._began.append(time.monotonic())
            self._now += 1
            self._most_at_once = max(self._most_at_once, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1

    @property
    def questions(self) -> int:
        with self._lock:
            return len(self._began)

    @property
    def under_way(self) -> int:
        with self._lock:
            return self._now

    @property
    def most_at_once(self) -> int:
        with self._lock:
            return self._most_at_once

    def most_within(self, seconds: float = 30.0) -> int:
        """In any stretch of so many seconds."""
        with self._lock:
            began = sorted(self._began)
        most = first = 0
        for last, moment in enumerate(began):
            while moment - began[first] >= seconds:
                first += 1
            most = max(most, last - first + 1)
        return most

    def as_json(self) -> dict[str, int]:
        return {
            "questions": self.questions,
            "under_way": self.under_way,
            "most_at_once": self.most_at_once,
            "most_within_30_seconds": self.most_within(),
        }
