"""What every format of a watchlist is given, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One subject of a watchlist. `kind` is name, address or text; `case` the case it was decided in."""

    kind: str
    value: str
    verdict: str
    reason: str
    decided_by: str
    decided_at: datetime
    expires_at: datetime | None
    case: int | None
    decision: int


class Format(Protocol):
    """Deterministic: the same entries give the same text."""

    slug: str
    label: str
    media_type: str
    extension: str

    def left_out(self, entry: ListEntry) -> str:
        """Why this format cannot say the entry exactly; empty when it can."""
        ...

    def covers(self, entry: ListEntry) -> bool: ...

    def write(self, entries: Iterable[ListEntry]) -> Iterator[str]:
        """The text in pieces, without the entries that are left out."""
        ...
