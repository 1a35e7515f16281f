"""What a local source holds, as its page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import duckdb
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from cases.models import Case
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.asked import search_text, whole_number
from hunts import store_work
from hunts.adapters import store_of
from hunts.models import Removal, Run, Source, Upload
from hunts.store_sweep import hint_work
from hunts.telemetry.errors import StoreDamaged, UnknownImport
from hunts.telemetry.holdings import disk_used, names_by_rows, newest_event, rows_by_import
from hunts.telemetry.manifest import ImportRecord
from hunts.upkeep import ask_removal, find_import

DAYS_SHOWN = 30
IMPORTS_SHOWN = 10
UPLOADS_SHOWN = 5
NAMES_A_PAGE = 50
# A page further on would read the store for nobody.
MOST_PAGES = 1_000


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


@dataclass(frozen=True, slots=True)
class Upkeep:
    newest_event: datetime | None
    disk_bytes: int
    most_mb: int
    # The last ones, newest first; of removals those that are not done.
    uploads: Sequence[Upload]
    removals: Sequence[Removal]
    # Whether some of these wait and no worker comes.
    in_vain: bool


def holding_of(source: Source, today: date, *, every_import: bool = False) -> Holding:
    """Of a source whose kind is local."""
    store = store_of(source)
    try:
        days, imports = store.days(), store.imports()
    except StoreDamaged as error:
        return Holding(0, 0, None, None, (), today, (), 0, damage=str(error))
    shown = imports[::-1] if every_import else imports[::-1][:IMPORTS_SHOWN]
    recent = [days.get(today - timedelta(days=back), 0) for back in range(DAYS_SHOWN - 1, -1, -1)]
    return Holding(
        days=len(days),
        rows=sum(days.values()),
        oldest=min(days, default=None),
        newest=max(days, default=None),
        recent=recent,
        recent_to=today,
        imports=[(datetime.fromisoformat(each.at), each) for each in shown],
        imports_more=max(0, len(imports) - len(shown)),
    )


def upkeep_of(source: Source) -> Upkeep | None:
    """Of a source whose kind is local and whose store can be read."""
    store = store_of(source)
    try:
        newest, used = newest_event(store), disk_used(store)
    except (StoreDamaged, duckdb.Error):
        return None
    uploads = (
        Upload.objects.filter(source=source)
        .exclude(state=Upload.State.ABANDONED)
        .prefetch_related("files")
        .select_related("asked_by")[:UPLOADS_SHOWN]
    )
    removals = Removal.objects.filter(source=source).exclude(state=Removal.State.DONE)[:UPLOADS_SHOWN]
    return Upkeep(
        newest,
        used,
        settings.FOOTPRINT.upload_mb,
        list(uploads),
        list(removals),
        any(store_work.waits_in_vain(work) for work in (*uploads, *removals)),
    )


@requires(Verb.READ_SOURCES)
@require_safe
def imports(request: SignedInRequest, slug: str) -> HttpResponse:
    """Every import, newest first."""
    source = get_object_or_404(Source, slug=slug, kind=Source.Kind.LOCAL)
    holding = holding_of(source, datetime.now(UTC).date(), every_import=True)
    context = {"nav": "sources", "source": source, "holding": holding}
    return render(request, "hunts/holding_all.html", context)


@requires(Verb.READ_SOURCES)
@require_safe
def names(request: SignedInRequest, slug: str) -> HttpResponse:
    """The file names in a store, those with most rows first."""
    source = get_object_or_404(Source, slug=slug, kind=Source.Kind.LOCAL)
    wanted = search_text(request.GET, "q")
    page = min(max(1, whole_number(request.GET, "page") or 1), MOST_PAGES)
    try:
        found, total = names_by_rows(
            store_of(source), NAMES_A_PAGE, skip=(page - 1) * NAMES_A_PAGE, containing=wanted
        )
        damage = ""
    except (StoreDamaged, duckdb.Error) as error:
        found, total, damage = [], 0, str(error)
    context = {
        "nav": "sources",
        "source": source,
        "names": found,
        "total": total,
        "wanted": wanted,
        "page": page,
        "has_more": total > page * NAMES_A_PAGE,
        "damage": damage,
    }
    return render(request, "hunts/holding_names.html", context)


@requires(Verb.MANAGE_SOURCES)
@require_http_methods(["GET", "HEAD", "POST"])
def remove_import(request: SignedInRequest, slug: str, import_id: str) -> HttpResponse:
    """Says exactly what would go and who asked of it; a worker removes it once that is confirmed."""
    source = get_object_or_404(Source, slug=slug, kind=Source.Kind.LOCAL)
    try:
        record = find_import(source, import_id)
        rows = rows_by_import(store_of(source))[import_id]
    except (UnknownImport, StoreDamaged) as error:
        raise Http404(str(error)) from error
    at = datetime.fromisoformat(record.at)
    # Who confirms has seen these numbers, or sees the new ones first.
    moved = request.method == "POST" and request.POST.get("rows") != str(rows)
    if request.method == "POST" and not moved:
        removal = ask_removal(actor=request.user, source=source, record=record)
        hint_work(Removal, [removal.pk])
        messages.success(request, f"{rows:,} rows are being removed.")
        return redirect("source", slug)
    context = {
        "nav": "sources",
        "source": source,
        "import": record,
        "at": at,
        "rows": rows,
        "cases": Case.objects.filter(pk__in=Run.objects.cases_that_asked(source, at)).order_by("pk"),
        "moved": moved,
    }
    return render(request, "hunts/holding_remove.html", context, status=409 if moved else 200)
