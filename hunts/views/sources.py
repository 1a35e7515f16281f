"""The places to ask: how each stands, what it costs, its test, and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.ledger.record import Actor
from hunts.limiter import use_of
from hunts.models import Source
from hunts.probing import is_being_tested, send_probe, was_test_lost
from hunts.source_actions import SourceMoved, add_source, change_source, pause_source, resume_source
from hunts.source_forms import ReasonForm, SourceForm, label_of
from hunts.sources.errors import BadSource
from hunts.standing import Cost, Standing, costs_of, errors_of, standing_of
from hunts.views.holdings import Holding, holding_of, upkeep_of

KINDS = {
    Source.Kind.LOG_ANALYTICS: "A workspace of Azure Monitor, with or without Sentinel.",
    Source.Kind.DEFENDER_XDR: "Advanced hunting of a tenant, through Microsoft Graph. It keeps 30 days.",
    Source.Kind.DATA_EXPLORER: "A database of a cluster, or of an Eventhouse in Fabric.",
    Source.Kind.LOCAL: "Exports and Sysmon logs that are imported, and answered on this machine.",
}


@dataclass(frozen=True, slots=True)
class ShownSource:
    source: Source
    hunts: int
    cost: Cost
    standing: Standing
    # Of a local source.
    holding: Holding | None

    @property
    def newest(self) -> datetime | None:
        """The newest event that the last test saw."""
        text = self.source.probe and self.source.probe.get("newest")
        return datetime.fromisoformat(text) if text else None


@requires(Verb.READ_SOURCES)
@require_safe
def sources(request: SignedInRequest) -> HttpResponse:
    known = list(Source.objects.select_related("owner").annotate(hunt_count=Count("hunts")))
    now = timezone.now()
    costs = costs_of(known, now)
    shown = [
        _look_at(source, source.hunt_count, costs[source.pk], now)  # type: ignore[attr-defined]  # annotated
        for source in known
    ]
    shown.sort(key=lambda each: (each.standing.rank, each.source.pk))
    return render(request, "hunts/sources.html", {"nav": "sources", "sources": shown})


@requires(Verb.READ_SOURCES)
@require_safe
def source(request: SignedInRequest, slug: str) -> HttpResponse:
    return _page(request, _found(slug))


@requires(Verb.READ_SOURCES)
@require_safe
def probe(request: SignedInRequest, slug: str) -> HttpResponse:
    """The last test, polled while one is under way."""
    return render(request, "hunts/source_test.html", _test_context(_found(slug)))


@requires(Verb.MANAGE_SOURCES)
@require_POST
def test(request: SignedInRequest, slug: str) -> HttpResponse:
    found = _found(slug)
    if not is_being_tested(found) and not send_probe(found, request.user):
        messages.warning(request, "Not tested: the broker is unreachable. Try again once it is back.")
    return redirect("source", slug)


@requires(Verb.MANAGE_SOURCES)
@require_POST
def pause(request: SignedInRequest, slug: str) -> HttpResponse:
    found = _found(slug)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    if pause_source(actor=Actor.person(request.user), source=found, because=form.cleaned_data["reason"]):
        messages.success(request, f"{found.title} is paused. Nothing is asked there until it is resumed.")
    else:
        messages.info(request, f"{found.title} was paused already.")
    return redirect("source", slug)


@requires(Verb.MANAGE_SOURCES)
@require_POST
def resume(request: SignedInRequest, slug: str) -> HttpResponse:
    found = _found(slug)
    if resume_source(actor=Actor.person(request.user), source=found):
        messages.success(request, f"{found.title} may be asked again.")
    else:
        messages.info(request, f"{found.title} was not paused.")
    return redirect("source", slug)


@requires(Verb.MANAGE_SOURCES)
@require_safe
def choose_kind(request: SignedInRequest) -> HttpResponse:
    return render(request, "hunts/source_kinds.html", {"nav": "sources", "kinds": list(KINDS.items())})


@requires(Verb.MANAGE_SOURCES)
@require_http_methods(["GET", "HEAD", "POST"])
def new_source(request: SignedInRequest, kind: str) -> HttpResponse:
    if kind not in Source.Kind.values:
        raise Http404
    form = SourceForm(request.POST if request.method == "POST" else None, kind=Source.Kind(kind))
    if request.method != "POST":
        return _form_page(request, form)
    if form.is_valid():
        try:
            added = add_source(
                actor=Actor.person(request.user),
                slug=form.cleaned_data["slug"],
                kind=kind,
                **form.source_fields(),
            )
        except BadSource as error:
            form.tell(error)
        else:
            if not added.is_local:
                send_probe(added, request.user)
            messages.success(request, f"{added.title} is added.")
            return redirect("source", added.slug)
    return _form_page(request, form, status=422)


@requires(Verb.MANAGE_SOURCES)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_source(request: SignedInRequest, slug: str) -> HttpResponse:
    found = _found(slug)
    kind = Source.Kind(found.kind)
    form = SourceForm(request.POST if request.method == "POST" else None, kind=kind, source=found)
    if request.method != "POST":
        return _form_page(request, form, found)
    if form.is_valid():
        try:
            change_source(
                actor=Actor.person(request.user),
                source=found,
                seen=form.cleaned_data["seen"],
                **form.source_fields(),
            )
        except BadSource as error:
            form.tell(error)
        except SourceMoved:
            found.refresh_from_db()
            form.show_moved(found)
        else:
            messages.success(request, f"{found.title} is changed.")
            return redirect("source", slug)
    return _form_page(request, form, found, status=422)


def _found(slug: str) -> Source:
    found: Source = get_object_or_404(Source.objects.select_related("owner", "paused_by"), slug=slug)
    return found


def _look_at(source: Source, hunts: int, cost: Cost, now: datetime) -> ShownSource:
    holding = holding_of(source, now.astimezone(UTC).date()) if source.is_local else None
    standing = standing_of(
        source,
        cost,
        damage=holding.damage if holding else "",
        is_empty=holding is not None and not holding.days,
        days_behind=holding.days_behind if holding else None,
    )
    return ShownSource(source, hunts, cost, standing, holding)


def _page(
    request: SignedInRequest, source: Source, reason: ReasonForm | None = None, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    shown = _look_at(source, source.hunts.count(), costs_of([source], now)[source.pk], now)
    context: dict[str, object] = {
        "nav": "sources",
        "shown": shown,
        "holding": shown.holding,
        "upkeep": upkeep_of(source) if source.is_local else None,
        "use": None if source.is_local else use_of(source),
        "errors": errors_of(source),
        "options": [(label_of(name), text) for name, text in source.options.items()],
        "reason_form": reason or ReasonForm(),
    }
    return render(request, "hunts/source.html", context | _test_context(source), status=status)


def _test_context(source: Source) -> dict[str, object]:
    return {
        "source": source,
        "probe": source.probe,
        "is_being_tested": is_being_tested(source),
        "is_test_lost": was_test_lost(source),
        "is_test_outdated": source.probe is not None and source.probe.get("version") != source.version,
    }


def _form_page(
    request: SignedInRequest, form: SourceForm, source: Source | None = None, status: int = 200
) -> HttpResponse:
    context = {"nav": "sources", "form": form, "source": source, "kind": form.kind}
    return render(request, "hunts/source_form.html", context, status=status)
