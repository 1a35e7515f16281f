"""What Leads do with watchlists: rules, publishing, roll-back, the switch, and the consumers of feeds."""

from __future__ import annotations

import re
from datetime import time

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.fields import SeenField
from cases.models import Case, Decision
from cases.watchlists import actions, publishing
from cases.watchlists.computing import Rule
from cases.watchlists.counts import Counts, preview_of
from cases.watchlists.formats import REGISTRY
from cases.watchlists.hints import hint_targets
from cases.watchlists.models import Consumer, Publication, Watchlist
from cases.watchlists.publishing import CannotPublish
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.asked import whole_number
from footprint.desk.views.watchlists import all_lists, frame
from footprint.ledger.record import Actor

_LONGEST_WHY = 500
_MOST_TIMES = 24
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


class RuleForm(forms.Form):
    title = SeenField(max_length=100)
    about = SeenField(max_length=500, required=False)
    kinds = forms.MultipleChoiceField(
        label="Kinds of subjects",
        choices=Decision.SubjectKind.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    scopes = forms.MultipleChoiceField(
        label="Decisions that count",
        choices=Decision.Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    cases = SeenField(
        label="Named cases",
        help_text="Their numbers, separated by commas. Of narrower scopes only their decisions count.",
        required=False,
        max_length=1000,
    )

    publish_at = SeenField(
        label="Published at",
        help_text=(
            "Times of day in UTC, such as 06:00, 18:00. Left empty, soon after each decision. At set times"
            " reversals wait, too; what a Lead publishes by the button, and a name that would block too much,"
            " takes along all that waits."
        ),
        required=False,
        max_length=300,
    )

    def clean_publish_at(self) -> list[time]:
        words = [word.strip() for word in self.cleaned_data["publish_at"].split(",") if word.strip()]
        if len(words) > _MOST_TIMES:
            raise forms.ValidationError(f"Write {_MOST_TIMES} times at most.")
        return [_time_of_day(word) for word in words]

    def clean_cases(self) -> list[Case]:
        words = [word.strip() for word in self.cleaned_data["cases"].split(",") if word.strip()]
        if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
            raise forms.ValidationError("Write case numbers, separated by commas.")
        found = list(Case.objects.filter(pk__in=[int(word) for word in words]))
        missing = {int(word) for word in words} - {case.pk for case in found}
        if missing:
            raise forms.ValidationError(f"There is no case {min(missing)}.")
        return found


def _time_of_day(word: str) -> time:
    found = _TIME.fullmatch(word)
    if found is None:
        raise forms.ValidationError(f"Write times as 06:00, separated by commas; “{word[:20]}” is none.")
    return time(int(found[1]), int(found[2]))


@requires(Verb.MANAGE_WATCHLISTS)
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: SignedInRequest, slug: str) -> HttpResponseBase:
    """With a preview of what would change, counted by the same statements that publish."""
    shown = get_object_or_404(Watchlist, slug=slug)
    form = RuleForm(request.POST or None, initial=_initial(shown))
    preview: Counts | None = None
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        if "save" in request.POST:
            try:
                actions.change_rule(actor=request.user, watchlist=shown, **told)
            except actions.Refused as refused:
                form.add_error(refused.field, refused.message)
            else:
                messages.success(request, "The rule is saved. It takes effect with the next publication.")
                return redirect("watchlist", slug=slug)
        else:
            cases = [case.pk for case in told["cases"]]
            asked = Rule(shown.verdict, told["kinds"], told["scopes"], cases)
            preview = preview_of(shown, asked)
    context = {**frame(request, shown, "rule"), "form": form, "preview": preview}
    status = 422 if form.errors else 200
    return render(request, "desk/watchlist_rule.html", context, status=status)


def _initial(shown: Watchlist) -> dict[str, object]:
    return {
        "title": shown.title,
        "about": shown.about,
        "kinds": shown.subject_kinds,
        "scopes": shown.scopes,
        "publish_at": ", ".join(f"{at:%H:%M}" for at in shown.publish_at),
        "cases": ", ".join(str(pk) for pk in shown.cases.order_by("pk").values_list("pk", flat=True)),
    }


@requires(Verb.MANAGE_WATCHLISTS)
@require_POST
def publish(request: SignedInRequest, slug: str) -> HttpResponseBase:
    shown = get_object_or_404(Watchlist, slug=slug)
    try:
        made = publishing.publish(
            actor=Actor.person(request.user), watchlist=shown, why="Published by hand", by=request.user
        )
    except CannotPublish as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _outcome(made))
        hint_targets()
    return redirect("watchlist-versions", slug=slug)


def _outcome(made: Publication | None) -> str:
    if made is None:
        return "Nothing has changed since the last version."
    if made.state == Publication.State.HELD:
        return "The list would lose more than half. Another person must release this publication."
    return f"Version {made.number} is published, with {made.entries:,} entries."


@requires(Verb.MANAGE_WATCHLISTS)
@require_POST
def roll_back(request: SignedInRequest, slug: str) -> HttpResponseBase:
    shown = get_object_or_404(Watchlist, slug=slug)
    try:
        made = publishing.roll_back(
            actor=request.user,
            watchlist=shown,
            number=whole_number(request.POST, "number") or 0,
            why=_why(request),
        )
    except CannotPublish as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _outcome(made))
        hint_targets()
    return redirect("watchlist-versions", slug=slug)


@requires(Verb.MANAGE_WATCHLISTS)
@require_POST
def held(request: SignedInRequest, slug: str, pk: int) -> HttpResponseBase:
    publication = get_object_or_404(Publication, pk=pk, watchlist__slug=slug)
    try:
        if request.POST.get("act") == "release":
            messages.success(
                request, _outcome(publishing.release(actor=request.user, publication=publication))
            )
            hint_targets()
        else:
            publishing.refuse(actor=request.user, publication=publication, why=_why(request))
            messages.success(request, "The publication is refused, and the list is paused.")
    except CannotPublish as refused:
        messages.error(request, str(refused))
    return redirect("watchlist-versions", slug=slug)


@requires(Verb.MANAGE_WATCHLISTS)
@require_POST
def resume(request: SignedInRequest, slug: str) -> HttpResponseBase:
    actions.resume(actor=request.user, watchlist=get_object_or_404(Watchlist, slug=slug))
    return redirect("watchlist-versions", slug=slug)


@requires(Verb.MANAGE_WATCHLISTS)
@require_POST
def switch(request: SignedInRequest) -> HttpResponseBase:
    try:
        if request.POST.get("act") == "resume":
            actions.resume_all(actor=request.user)
        else:
            actions.pause_all(actor=request.user, why=_why(request))
    except actions.Refused as refused:
        return all_lists(request, why=_why(request), refused=refused.message)
    return redirect("watchlists")


@requires(Verb.READ_WATCHLISTS)
@require_safe
def feeds(request: SignedInRequest, slug: str) -> HttpResponse:
    return _feeds_page(request, get_object_or_404(Watchlist, slug=slug))


@requires(Verb.MANAGE_WATCHLISTS)
@require_POST
def consumers(request: SignedInRequest, slug: str) -> HttpResponse:
    """Adds one, or gives one a new token. The token is on this answer and nowhere else."""
    shown = get_object_or_404(Watchlist, slug=slug)
    act = request.POST.get("act", "add")
    try:
        if act == "add":
            consumer, token = actions.add_consumer(
                actor=request.user,
                watchlist=shown,
                name=request.POST.get("name", "")[:100],
                format=request.POST.get("format", ""),
            )
            return _feeds_page(request, shown, consumer=consumer, token=token)
        consumer = get_object_or_404(shown.consumers, pk=whole_number(request.POST, "consumer") or 0)
        if act == "rotate":
            token = actions.rotate_token(actor=request.user, consumer=consumer)
            return _feeds_page(request, shown, consumer=consumer, token=token)
        actions.revoke_consumer(actor=request.user, consumer=consumer)
        messages.success(request, f"{consumer.name} cannot fetch any more.")
    except actions.Refused as refused:
        return _feeds_page(request, shown, refused=refused)
    return redirect("watchlist-feeds", slug=slug)


def _feeds_page(
    request: SignedInRequest,
    shown: Watchlist,
    *,
    consumer: Consumer | None = None,
    token: str = "",
    refused: actions.Refused | None = None,
) -> HttpResponse:
    known = shown.consumers.filter(revoked_at__isnull=True).prefetch_related("tokens")
    context = {
        **frame(request, shown, "feeds"),
        "consumers": [(each, REGISTRY.get(each.format), each.tokens.all()) for each in known],
        "made": consumer,
        "token": token,
        "refused": refused,
        "typed": request.POST,
        "address": request.build_absolute_uri(reverse("feed", args=[shown.slug, "FORMAT"])),
    }
    return render(request, "desk/watchlist_feeds.html", context, status=422 if refused else 200)


def _why(request: HttpRequest) -> str:
    return request.POST.get("why", "")[:_LONGEST_WHY]
