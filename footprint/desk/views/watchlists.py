"""The watchlists: what is on them, who put it there, and taking them away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Max
from django.http import FileResponse, Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_safe

from cases.models import Decision
from cases.watchlists.actions import download
from cases.watchlists.formats import REGISTRY, Format
from cases.watchlists.models import Watchlist
from cases.watchlists.querysets import decisions_of, list_entry
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.asked import search_text, whole_number
from footprint.ledger.record import Actor

PAGE = 50


@dataclass(frozen=True, slots=True)
class ListRow:
    watchlist: Watchlist
    entries: int
    newest: Decision | None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """`left_out` are (format, why) of the formats that cannot say this entry."""

    decision: Decision
    left_out: list[tuple[str, str]]


@requires(Verb.READ_WATCHLISTS)
@require_safe
def watchlists(request: SignedInRequest) -> HttpResponse:
    rows = _list_rows(list(Watchlist.objects.all()))
    return render(request, "desk/watchlists.html", {"nav": "watchlists", "rows": rows, "formats": _formats()})


@requires(Verb.READ_WATCHLISTS)
@require_safe
def watchlist(request: SignedInRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(Watchlist, slug=slug)
    everything = decisions_of(shown)
    search = search_text(request.GET, "q")
    matching = everything.filter(subject__icontains=search.replace("[.]", ".")) if search else everything
    before = whole_number(request.GET, "before")
    listed = matching.filter(pk__lt=before) if before else matching
    page = list(listed.select_related("proposer", "made_in").order_by("-pk")[: PAGE + 1])
    kinds = dict(everything.values_list("subject_kind").annotate(n=Count("pk")).order_by("subject_kind"))
    context = {
        "nav": "watchlists",
        "watchlist": shown,
        "formats": _formats(),
        "kinds": [(Decision.SubjectKind(kind).label, count) for kind, count in kinds.items()],
        "entries": sum(kinds.values()),
        "matching": matching.count() if search else sum(kinds.values()),
        "search": search,
        "rows": [_entry_row(decision) for decision in page[:PAGE]],
        "is_first_page": before is None,
        "older_query": _query(search, page[PAGE - 1].pk) if len(page) > PAGE else "",
        "first_query": _query(search),
    }
    return render(request, "desk/watchlist.html", context)


@requires(Verb.READ_WATCHLISTS)
@require_GET
def take_away(request: SignedInRequest, slug: str, format: str) -> FileResponse:
    """The list as it is now. That it was taken stands in the ledger before the first byte is sent."""
    shown = get_object_or_404(Watchlist, slug=slug)
    if format not in REGISTRY:
        raise Http404("There is no such format.")
    taken = download(actor=Actor.person(request.user), watchlist=shown, format=REGISTRY[format])
    response = FileResponse(
        taken.content, as_attachment=True, filename=taken.filename, content_type=taken.media_type
    )
    response.headers["X-Content-SHA256"] = taken.sha256
    return response


def _list_rows(lists: Sequence[Watchlist]) -> list[ListRow]:
    """One question per list, because each is a rule of its own, and one more for all of them."""
    counts = [decisions_of(each).aggregate(entries=Count("pk"), newest=Max("pk")) for each in lists]
    newest = Decision.objects.select_related("proposer").in_bulk([count["newest"] for count in counts])
    return [
        ListRow(each, count["entries"], newest.get(count["newest"]))
        for each, count in zip(lists, counts, strict=True)
    ]


def _entry_row(decision: Decision) -> EntryRow:
    entry = list_entry(decision)
    told = [(format.label, format.left_out(entry)) for format in _formats()]
    return EntryRow(decision, [(label, why) for label, why in told if why])


def _formats() -> list[Format]:
    return list(REGISTRY.values())


def _query(search: str, before: int | None = None) -> str:
    query = QueryDict(mutable=True)
    if search:
        query["q"] = search
    if before:
        query["before"] = str(before)
    return query.urlencode()
