"""The places to ask, and what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from hunts.adapters import store_of
from hunts.models import Source
from hunts.telemetry.errors import StoreDamaged
from hunts.telemetry.manifest import ImportRecord

DAYS_SHOWN = 30
IMPORTS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Holding:
    """What a local source holds. `recent` are the rows of the last 30 UTC days, oldest first."""

    days: int
    rows: int
    oldest: date | None
    newest: date | None
    recent: Sequence[int]
    recent_to: date
    # Newest first, each with its time.
    imports: Sequence[tuple[datetime, ImportRecord]]
    imports_more: int

    @property
    def days_behind(self) -> int | None:
        return None if self.newest is None else (self.recent_to - self.newest).days


@dataclass(frozen=True, slots=True)
class ShownSource:
    """`damage` says why nothing can be told about a source, and is empty otherwise."""

    source: Source
    hunts: int
    holding: Holding | None
    damage: str


@requires(Verb.READ_SOURCES)
@require_safe
def sources(request: SignedInRequest) -> HttpResponse:
    today = datetime.now(UTC).date()
    known = Source.objects.annotate(hunt_count=Count("hunts"))
    shown = [_look_at(source, source.hunt_count, today) for source in known]
    return render(request, "hunts/sources.html", {"nav": "sources", "sources": shown})


def _look_at(source: Source, hunts: int, today: date) -> ShownSource:
    try:
        return ShownSource(source, hunts, _holding(source, today), "")
    except StoreDamaged as error:
        return ShownSource(source, hunts, None, str(error))


def _holding(source: Source, today: date) -> Holding:
    store = store_of(source)
    days, imports = store.days(), store.imports()
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
