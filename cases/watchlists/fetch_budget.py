"""How often a consumer may fetch, and how often an address may be wrong."""

from __future__ import annotations

import time
from threading import Lock

from django.conf import settings

_FAILURES_PER_MINUTE = 30
_MOST_COUNTED = 10_000


class TooMany(Exception):
    """Asked too often; `seconds` until it goes on."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Wait {seconds} s.")
        self.seconds = seconds


class FetchBudget:
    """Counts the last minute, per consumer, and failures per address. In memory: it must work on its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, tuple[int, int]] = {}

    def spend(self, consumer: int) -> None:
        if self._add(f"consumer {consumer}") > settings.FOOTPRINT.feed_requests_per_minute:
            raise TooMany(self._rest())

    def check_failures(self, address: str) -> None:
        minute, count = self._counts.get(f"address {address}", (0, 0))
        if minute == self._minute() and count >= _FAILURES_PER_MINUTE:
            raise TooMany(self._rest())

    def note_failure(self, address: str) -> None:
        self._add(f"address {address}")

    def _add(self, key: str) -> int:
        now = self._minute()
        with self._lock:
            if len(self._counts) > _MOST_COUNTED:
                self._counts = {known: each for known, each in self._counts.items() if each[0] == now}
            minute, count = self._counts.get(key, (now, 0))
            count = count + 1 if minute == now else 1
            self._counts[key] = (now, count)
            return count

    def _minute(self) -> int:
        return int(time.monotonic() // 60)

    def _rest(self) -> int:
        return 60 - int(time.monotonic() % 60)
