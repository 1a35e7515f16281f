"""The one way to ask, whatever the place. Nothing in here knows Django."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hunts.kql.footprint import Dialect, Query
from hunts.kql.window import Window


@dataclass(frozen=True)
class Answer:
    columns: tuple[str, ...]
    rows: Iterable[tuple[object, ...]]
    # Why these are not all rows, in the source's words; None when they are.
    partial: str | None = None
    # What the source said beside its answer.
    said: str = ""
    # How much was received, and how long it took.
    bytes: int = 0
    seconds: float = 0.0


class Step(StrEnum):
    """What a probe looks at, in this order; the first failure ends it."""

    REACHED = "reached"
    SIGNED_IN = "signed in"
    PERMITTED = "permitted"
    TABLE = "table"
    NEWEST = "newest event"
    RETENTION = "retention"


@dataclass(frozen=True)
class Check:
    step: Step
    passed: bool
    # A sentence about what was found; what the source said; what to do when it failed.
    found: str
    said: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Probe:
    checks: tuple[Check, ...]
    newest: datetime | None = None

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


class Adapter(Protocol):
    """Speaks to one configured source. Made once per process; may be used by several threads."""

    @property
    def dialect(self) -> Dialect: ...

    def ask(self, query: Query, window: Window, *, timeout: float) -> Answer:
        """`window` bounds what the source looks at, whatever the query says of time; `timeout` is in
        seconds, for the whole call. Raises the errors of `hunts.sources.errors` and no others."""
        ...

    def interrupt(self) -> None:
        """From another thread: every ask that is under way raises Interrupted."""
        ...

    def probe(self, through: Adapter | None = None) -> Probe:
        """What works and what does not. `through` asks its questions, where it is not to be this adapter;
        what that raises beside the errors of `hunts.sources.errors` passes. Raises nothing else."""
        ...
