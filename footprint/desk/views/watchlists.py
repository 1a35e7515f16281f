"""The watchlists: what is on them, what was published, and taking them away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef
from django.http import FileResponse, Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_safe

from cases.models import Decision
from cases.watchlists.actions import download
from cases.watchlists.causing import has_caused
from cases.watchlists.entries import Difference, difference, report_of
from cases.watchlists.formats import REGISTRY, Format
from cases.watchlists.models import Conflict, Publication, Publishing, Watchlist
from cases.watchlists.pending import Pending, is_paused, pending
from cases.watchlists.querysets import decisions_of
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb, may
from footprint.asked import search_text, whole_number
from footprint.ledger.record import Actor

PAGE = 50
VERSIONS_SHOWN = 20
CHANGES_SHOWN = 200
CONFLICTS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class ListRow:
    watchlist: Watchlist
    entries: int
    newest: Decision | None
    published: Publication | None


@dataclass(frozen=True, slots=True)
class EntryRow:
    decision: Decision
    conflict: Conflict | None


@requires(Verb.READ_WATCHLISTS)
@require_safe
def watchlists(request: SignedInRequest) -> HttpResponse:
    return all_lists(request)


def all_lists(request: SignedInRequest, *, why: str = "", refused: str = "") -> HttpResponse:
    """`why` was typed to pause all publishing, and `refused` says what is wrong with it."""
    held = Publication.objects.held().filter(watchlist=OuterRef("pk"))
    rows = _list_rows(list(Watchlist.objects.annotate(is_held=Exists(held))))
    context = {
        "nav": "watchlists",
        "rows": rows,
        "paused": is_paused(),
        "manages": may(request.user, Verb.MANAGE_WATCHLISTS),
        "why": why,
        "refused": refused,
    }
    return render(request, "desk/watchlists.html", context, status=422 if refused else 200)


@requires(Verb.READ_WATCHLISTS)
@require_safe
def watchlist(request: SignedInRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(Watchlist, slug=slug)
    everything = decisions_of(shown)
    search = search_text(request.GET, "q")
    matching = everything.filter(subject__icontains=search.replace("[.]", ".")) if search else everything
    before = whole_number(request.GET, "before")
    listed = matching.filter(pk__lt=before) if before else matching
    page = list(listed.select_related("proposer", "approver", "made_in").order_by("-pk")[: PAGE + 1])
    kinds = dict(everything.values_list("subject_kind").annotate(n=Count("pk")).order_by("subject_kind"))
    context = {
        **frame(request, shown, "entries"),
        "kinds": [(Decision.SubjectKind(kind).label, count) for kind, count in kinds.items()],
        "entries": sum(kinds.values()),
        "matching": matching.count() if search else sum(kinds.values()),
        "search": search,
        "rows": _entry_rows(shown, page[:PAGE]),
        "is_first_page": before is None,
        "older_query": _query(search, page[PAGE - 1].pk) if len(page) > PAGE else "",
        "first_query": _query(search),
    }
    return render(request, "desk/watchlist.html", context)


@requires(Verb.READ_WATCHLISTS)
@require_safe
def versions(request: SignedInRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(Watchlist, slug=slug)
    published = list(
        Publication.objects.of(shown).published().select_related("made_by", "approver")[:VERSIONS_SHOWN]
    )
    newest = published[0].number if published else None
    new = whole_number(request.GET, "version") or newest
    old = whole_number(request.GET, "against")
    if old is None:
        old = (new or 1) - 1
    context = {
        **frame(request, shown, "versions"),
        "versions": published,
        "new": new,
        "old": old,
        "difference": _difference(shown, old, new),
        "cut": CHANGES_SHOWN,
        "conflicts": shown.conflicts.select_related("against__proposer", "against__approver")[
            :CONFLICTS_SHOWN
        ],
        "conflict_count": shown.conflicts.count(),
    }
    return render(request, "desk/watchlist_versions.html", context)


def frame(request: SignedInRequest, shown: Watchlist, tab: str) -> dict[str, object]:
    """What the head of every page of a list needs."""
    published = Publication.objects.of(shown).published().first()
    held = Publication.objects.of(shown).held().select_related("made_by").first()
    waits: Pending = pending(shown)
    switch: Publishing | None = is_paused()
    return {
        "nav": "watchlists",
        "watchlist": shown,
        "tab": tab,
        "formats": _formats(),
        "published": published,
        "held": held,
        "has_caused_held": held is not None and has_caused(request.user, held, shown),
        "pending": waits,
        "paused": switch,
        "manages": may(request.user, Verb.MANAGE_WATCHLISTS),
    }


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


@requires(Verb.READ_WATCHLISTS)
@require_safe
def left_out(request: SignedInRequest, slug: str, format: str) -> HttpResponse:
    """What a format cannot say of the newest publication, or says wider or narrower. Reads the whole list."""
    shown = get_object_or_404(Watchlist, slug=slug)
    if format not in REGISTRY:
        raise Http404("There is no such format.")
    context = {**frame(request, shown, "feeds"), "format": REGISTRY[format]}
    published = context["published"]
    if isinstance(published, Publication):
        report = report_of(REGISTRY[format], published)
        context["report"] = report
        context["causes"] = [
            (how, why, count, report.examples[how, why])
            for (how, why), count in sorted(report.causes.items())
        ]
    return render(request, "desk/watchlist_left_out.html", context)


def _difference(shown: Watchlist, old: int, new: int | None) -> Difference | None:
    if new is None or not Publication.objects.of(shown).published().filter(number=new).exists():
        return None
    with transaction.atomic():
        return difference(shown, old, new, CHANGES_SHOWN)


def _list_rows(lists: Sequence[Watchlist]) -> list[ListRow]:
    """One question per list, because each is a rule of its own, and two more for all of them."""
    counts = [decisions_of(each).aggregate(entries=Count("pk"), newest=Max("pk")) for each in lists]
    people = Decision.objects.select_related("proposer", "approver")
    newest = people.in_bulk([each["newest"] for each in counts])
    published = {each.watchlist_id: each for each in Publication.objects.newest_of_each_list()}
    return [
        ListRow(each, count["entries"], newest.get(count["newest"]), published.get(each.pk))
        for each, count in zip(lists, counts, strict=True)
    ]


def _entry_rows(shown: Watchlist, decisions: Sequence[Decision]) -> list[EntryRow]:
    conflicts = {
        each.decision_id: each
        for each in shown.conflicts.filter(decision__in=[decision.pk for decision in decisions])
    }
    return [EntryRow(decision, conflicts.get(decision.pk)) for decision in decisions]


def _formats() -> list[type[Format]]:
    return list(REGISTRY.values())


def _query(search: str, before: int | None = None) -> str:
    query = QueryDict(mutable=True)
    if search:
        query["q"] = search
    if before:
        query["before"] = str(before)
    return query.urlencode()
