"""What can be made to go wrong, for the next questions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from threading import Lock


class Kind(StrEnum):
    # 429; the value is Retry-After, and without one there is no such header.
    THROTTLED = "throttled"
    # 429, 400 or whatever else the service says when its processing time is spent.
    CPU_SPENT = "cpu_spent"
    UNAVAILABLE = "unavailable"
    # 504 with HTML from a gateway.
    GATEWAY_TIMEOUT = "gateway_timeout"
    # 200 without a body.
    EMPTY = "empty"
    NO_CONTENT = "no_content"
    # An error beside rows.
    PARTIAL = "partial"
    # The value is how many rows are given.
    TRUNCATED = "truncated"
    FORBIDDEN = "forbidden"
    EXPIRED = "expired"
    # A byte now and then.
    DRIP = "drip"
    # Nothing at all, until the lab closes.
    HANG = "hang"
    # The connection is reset in the middle of the answer.
    RESET = "reset"
    # JSON of another shape; text that is no JSON.
    WRONG_JSON = "wrong_json"
    NOT_JSON = "not_json"
    # The value is the column that is called otherwise.
    RENAMED = "renamed"
    NULLS = "nulls"
    REDIRECT = "redirect"
    # What was asked for is done, and no answer comes until the lab closes.
    WITHHELD = "withheld"
    # Nothing goes wrong, so that the next fault comes later.
    FINE = "fine"


FOREVER = 1_000_000_000


@dataclass
class Fault:
    kind: Kind
    times: int = 1
    value: str = ""


def parse_fault(text: str) -> Fault:
    """`kind`, `kind:times`, `kind:times=value`. Raises ValueError."""
    name, _, value = text.partition("=")
    kind, _, times = name.partition(":")
    return Fault(Kind(kind), int(times) if times else FOREVER, value)


class Faults:
    """In the order they were given, each for as many questions as it says."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self) -> Fault | None:
        with self._lock:
            if not self._waiting:
                return None
            fault = self._waiting[0]
            fault.times -= 1
            if fault.times <= 0:
                self._waiting.pop(0)
            return fault
