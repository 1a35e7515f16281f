"""Where a watchlist is pushed: how each target stands, its receipts, and what Leads do with it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.watchlists.hints import hint_targets
from cases.watchlists.models import Receipt, Reconciliation, Target, Watchlist
from cases.watchlists.spending import changes_spent_at
from cases.watchlists.still_in_force import still_in_force
from cases.watchlists.target_actions import (
    NoReason,
    TargetMoved,
    add_target,
    ask_for_dry_run,
    ask_for_reconciliation,
    change_target,
    pause_target,
    resume_target,
    retire_target,
)
from cases.watchlists.target_forms import LABELS, TargetForm
from cases.watchlists.targets.defender import MOST_INDICATORS
from cases.watchlists.targets.open import OPTIONS
from cases.watchlists.targets.sentinel import CHANGES_A_MONTH
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.asked import search_text, whole_number
from footprint.azure.errors import BadSetting
from footprint.desk.views.watchlists import frame
from footprint.ledger.record import Actor

PAGE = 50
LOOKS_SHOWN = 10
KINDS = {
    Target.Kind.SENTINEL: "Items of a watchlist in a Sentinel workspace, for queries with _GetWatchlist.",
    Target.Kind.DEFENDER: "Custom indicators of Defender for Endpoint, which its machines enforce.",
}
# The shape beside the words, for each stand.
_SHAPES = {
    Target.Stand.WAITING: "undecided",
    Target.Stand.SAME: "complete",
    Target.Stand.BEHIND: "partial",
    Target.Stand.TROUBLE: "failed",
    Target.Stand.EMPTIED: "complete",
}


@dataclass(frozen=True, slots=True)
class Budget:
    """`used` of `most`, and what that is. `others`: how much of it is not ours."""

    used: int
    most: int
    words: str
    others: int | None = None

    @property
    def left(self) -> int:
        return max(0, self.most - self.used)


@dataclass(frozen=True, slots=True)
class ShownTarget:
    target: Target
    budget: Budget | None
    states: dict[str, int]

    @property
    def shape(self) -> str:
        return _SHAPES[Target.Stand(self.target.stand)]

    @property
    def words(self) -> str:
        if self.target.is_paused:
            return "paused"
        if self.target.retired_at is not None and not self.target.is_emptied:
            return "being emptied"
        return self.target.get_stand_display()

    @property
    def is_being_looked_at(self) -> bool:
        until = self.target.lease_until
        return self.target.dry_run_asked_at is not None or (until is not None and until > timezone.now())


@requires(Verb.READ_WATCHLISTS)
@require_safe
def targets(request: SignedInRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(Watchlist, slug=slug)
    known = list(shown.targets.select_related("watchlist"))
    context = {
        **frame(request, shown, "targets"),
        "targets": _look_at(known),
        "kinds": list(KINDS.items()),
        "still": still_in_force(shown),
    }
    return render(request, "desk/targets.html", context)


@requires(Verb.READ_WATCHLISTS)
@require_safe
def target(request: SignedInRequest, slug: str, target: str) -> HttpResponse:
    return _page(request, _found(slug, target))


@requires(Verb.READ_WATCHLISTS)
@require_safe
def look(request: SignedInRequest, slug: str, target: str, pk: int) -> HttpResponse:
    """One reconciliation; of a dry run, what it would do."""
    found = _found(slug, target)
    context = {
        **frame(request, found.watchlist, "targets"),
        "target": found,
        "look": get_object_or_404(Reconciliation, pk=pk, target=found),
    }
    return render(request, "desk/target_look.html", context)


@requires(Verb.MANAGE_WATCHLISTS)
@require_http_methods(["GET", "HEAD", "POST"])
def new_target(request: SignedInRequest, slug: str, kind: str) -> HttpResponseBase:
    shown = get_object_or_404(Watchlist, slug=slug)
    if kind not in Target.Kind.values:
        raise Http404("There is no such kind of target.")
    form = TargetForm(request.POST if request.method == "POST" else None, kind=Target.Kind(kind))
    if request.method != "POST":
        return _form_page(request, shown, form)
    if form.is_valid():
        try:
            added = add_target(
                actor=Actor.person(request.user),
                slug=form.cleaned_data["slug"],
                kind=kind,
                watchlist=shown,
                starts=False,
                **form.target_fields(),
            )
        except BadSetting as error:
            form.tell(error)
        else:
            ask_for_dry_run(added)
            hint_targets()
            messages.success(
                request, f"{added.title} is added and paused. Look at the dry run, then resume it."
            )
            return redirect("target", slug, added.slug)
    return _form_page(request, shown, form, status=422)


@requires(Verb.MANAGE_WATCHLISTS)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_target(request: SignedInRequest, slug: str, target: str) -> HttpResponseBase:
    found = _found(slug, target)
    kind = Target.Kind(found.kind)
    form = TargetForm(request.POST if request.method == "POST" else None, kind=kind, target=found)
    if request.method != "POST":
        return _form_page(request, found.watchlist, form)
    if form.is_valid():
        try:
            change_target(
                actor=Actor.person(request.user),
                target=found,
                seen=form.cleaned_data["seen"],
                **form.target_fields(),
            )
        except BadSetting as error:
            form.tell(error)
        except TargetMoved:
            found.refresh_from_db()
            form.show_moved(found)
        else:
            hint_targets()
            messages.success(request, f"{found.title} is changed.")
            return redirect("target", slug, found.slug)
    return _form_page(request, found.watchlist, form, status=422)


@requires(Verb.MANAGE_WATCHLISTS)
@require_POST
def act(request: SignedInRequest, slug: str, target: str) -> HttpResponse:
    found = _found(slug, target)
    wanted = request.POST.get("act", "")
    try:
        said = _carry_out(wanted, found, request)
    except NoReason as refused:
        return _page(request, found, refused=str(refused), status=422)
    messages.success(request, said)
    if not hint_targets():
        messages.warning(request, "The broker is unreachable, so it may take a minute longer.")
    return redirect("target", slug, found.slug)


def _carry_out(wanted: str, found: Target, request: SignedInRequest) -> str:
    """What the person is told. Raises NoReason."""
    why = request.POST.get("why", "")
    match wanted:
        case "dry-run":
            ask_for_dry_run(found)
            return "A worker looks at what is there. The plan appears below."
        case "reconcile":
            ask_for_reconciliation(found)
            return "A worker reconciles it as soon as one is free."
        case "pause":
            pause_target(actor=request.user, target=found, because=why)
            return f"{found.title} is paused. Nothing is sent there until it is resumed."
        case "resume":
            resume_target(actor=request.user, target=found)
            return f"{found.title} is resumed."
        case "retire":
            retire_target(actor=request.user, target=found, because=why)
            return f"{found.title} is retired. What is ours there is withdrawn."
        case _:
            raise Http404("There is no such act.")


def _page(request: SignedInRequest, found: Target, *, refused: str = "", status: int = 200) -> HttpResponse:
    (standing,) = _look_at([found])
    states = standing.states
    state = request.GET.get("state", "")
    if state not in Receipt.State.values:
        state = ""
    search = search_text(request.GET, "q")
    matching = found.receipts.filter(state=state) if state else found.receipts.all()
    if search:
        matching = matching.filter(value__icontains=search.replace("[.]", "."))
    before = whole_number(request.GET, "before")
    listed = matching.filter(pk__lt=before) if before else matching
    page = list(listed.order_by("-pk")[: PAGE + 1])
    context = {
        **frame(request, found.watchlist, "targets"),
        "target": found,
        "shown": standing,
        "options": [
            (LABELS[name][0], found.options[name]) for name in OPTIONS[found.kind] if name in found.options
        ],
        "states": [(value, label, states.get(value, 0)) for value, label in Receipt.State.choices],
        "state": state,
        "search": search,
        "receipts": page[:PAGE],
        "is_filtered": bool(state or search),
        "older": _query(state, search, page[PAGE - 1].pk) if len(page) > PAGE else "",
        "first": f"?{_query(state, search)}" if before else "",
        "looks": found.reconciliations.all()[:LOOKS_SHOWN],
        "refused": refused,
        "typed": request.POST,
    }
    return render(request, "desk/target.html", context, status=status)


def _form_page(
    request: SignedInRequest, shown: Watchlist, form: TargetForm, status: int = 200
) -> HttpResponse:
    context = {**frame(request, shown, "targets"), "form": form, "target": form.target, "kind": form.kind}
    return render(request, "desk/target_form.html", context, status=status)


def _found(slug: str, target: str) -> Target:
    found: Target = get_object_or_404(
        Target.objects.select_related("watchlist", "paused_by"), slug=target, watchlist__slug=slug
    )
    return found


def _look_at(targets: list[Target]) -> list[ShownTarget]:
    states, spent = _states_of(targets), changes_spent_at(targets)
    return [
        ShownTarget(each, _budget(each, spent.get(each.pk, 0)), states.get(each.pk, {})) for each in targets
    ]


def _budget(target: Target, spent: int) -> Budget | None:
    if target.kind == Target.Kind.SENTINEL:
        return Budget(spent, CHANGES_A_MONTH, "item changes of the workspace this month, by Footprint")
    if target.items_ours is None or target.items_others is None:
        return None
    used = target.items_ours + target.items_others
    return Budget(used, MOST_INDICATORS, "indicators of the tenant", target.items_others)


def _states_of(targets: list[Target]) -> dict[int, dict[str, int]]:
    counted = (
        Receipt.objects.filter(target__in=targets).values_list("target", "state").annotate(n=Count("pk"))
    )
    found: dict[int, dict[str, int]] = {}
    for target, state, count in counted.order_by("target", "state"):
        found.setdefault(target, {})[state] = count
    return found


def _query(state: str, search: str, before: int | None = None) -> str:
    query = QueryDict(mutable=True)
    for name, text in (("state", state), ("q", search), ("before", str(before or ""))):
        if text:
            query[name] = text
    return query.urlencode()
