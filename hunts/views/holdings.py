"""What a local source holds, as its page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hunts.adapters import store_of
from hunts.models import Source
from hunts.telemetry.errors import StoreDamaged
from hunts.telemetry.manifest import ImportRecord

DAYS_SHOWN = 30
IMPORTS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Holding:
    """`recent` are the rows of the last 30 UTC days, oldest first. `damage` says why nothing can be told
    about the store, and is empty otherwise."""

    days: int
    rows: int
    oldest: date | None
    newest: date | None
    recent: Sequence[int]
    recent_to: date
    # Newest first, each with its time.
    imports: Sequence[tuple[datetime, ImportRecord]]
    imports_more: int
    damage: str = ""

    @property
    def days_behind(self) -> int | None:
        return None if self.newest is None else (self.recent_to - self.newest).days


def holding_of(source: Source, today: date) -> Holding:
    """Of a source whose kind is local."""
    store = store_of(source)
    try:
        days, imports = store.days(), store.imports()
    except StoreDamaged as error:
        return Holding(0, 0, None, None, (), today, (), 0, damage=str(error))
    recent = [days.get(today - timedelta(days=back), 0) for back in range(DAYS_SHOWN - 1, -1, -1)]
    return Holding(
        days=len(days),
        rows=sum(days.values()),
        oldest=min(days, default=None),
        newest=max(days, default=None),
        recent=recent,
        recent_to=today,
        imports=[(datetime.fromisoformat(each.at), each) for each in imports[::-1][:IMPORTS_SHOWN]],
        imports_more=max(0, len(imports) - IMPORTS_SHOWN),
    )
