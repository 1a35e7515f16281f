"""Importing a list: reading it in, seeing what it would change, confirming, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HTMX_STOP_POLLING

from cases.forms import FOREVER, YEAR
from cases.intake_actions import SMALL_LIST, CannotTakeIn, confirm, drop, shown_of, stop, take_in
from cases.intake_forms import ConfirmListForm, ReadListForm
from cases.intake_querysets import IntakeLineQuerySet
from cases.intakes.confirming import takes_lead
from cases.intakes.hints import hint
from cases.intakes.taking_in import LARGEST_BYTES
from cases.models import Intake, IntakeLine
from cases.refusals import CannotDecide
from cases.watchlists.formats.spelled import csv_row, defused
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb, may
from footprint.asked import whole_number

PAGE = 50
LATEST = 10
Finding, Outcome = IntakeLine.Finding, IntakeLine.Outcome
# What each finding means for whoever reads the preview.
MEANS = {
    Finding.NEW: "nobody decided on it everywhere; it would be",
    Finding.KNOWN: "decided so already, nothing changes",
    Finding.CONTRADICTING: "the opposite is in force, on it, around it or inside it",
    Finding.OTHERWISE: "the list gives a verdict of its own, which is the other one",
    Finding.TOO_WIDE: "refused: it would cover what nobody can mean",
    Finding.UNREADABLE: "no name, address or network",
    Finding.REPEATED: "it stands further up already",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that are alike; `key` is the word of the address."""

    key: str
    name: str
    means: str
    count: int


@requires(Verb.IMPORT_LIST)
@require_http_methods(["GET", "HEAD", "POST"])
def new_intake(request: SignedInRequest) -> HttpResponse:
    form = ReadListForm(request.POST or None, request.FILES or None)
    if request.method != "POST" or not form.is_valid():
        return _new_page(request, form)
    try:
        read = take_in(
            actor=request.user,
            content=form.content(),
            name=form.name(),
            verdict=form.cleaned_data["verdict"],
            reader=form.cleaned_data["reader"],
        )
    except CannotTakeIn as refusal:
        field = refusal.field or ("file" if form.cleaned_data["file"] else "pasted")
        form.add_error(field, refusal.message)
        return _new_page(request, form)
    return redirect("intake", read.pk)


def _new_page(request: SignedInRequest, form: ReadListForm) -> HttpResponse:
    if form.errors:
        form.give_paste_back()
    context = {
        "nav": "decisions",
        "form": form,
        "latest": Intake.objects.select_related("person")[:LATEST],
        "small_list": SMALL_LIST,
        "largest": LARGEST_BYTES,
    }
    return render(request, "cases/new_intake.html", context, status=422 if form.errors else 200)


@requires(Verb.READ_CASES)
@require_safe
def intake(request: SignedInRequest, pk: int) -> HttpResponse:
    return _page(request, _intake(pk), None)


@requires(Verb.IMPORT_LIST)
@require_POST
def confirm_intake(request: SignedInRequest, pk: int) -> HttpResponse:
    read, form = _intake(pk), ConfirmListForm(request.POST)
    if not form.is_valid():
        return _page(request, read, form)
    try:
        confirm(
            actor=request.user,
            intake=read,
            reason=form.cleaned_data["reason"],
            expires_at=form.expires_at(),
            takes_over=form.cleaned_data["takes_over"],
            seen=form.cleaned_data["seen"],
        )
    except CannotDecide as refusal:
        form.add_error("until" if refusal.field == "expires_at" else refusal.field or None, refusal.message)
        return _page(request, read, form)
    except CannotTakeIn as refusal:
        form.add_error(None, refusal.message)
        return _page(request, _intake(pk), form)
    hint()
    return redirect("intake", pk)


@requires(Verb.IMPORT_LIST)
@require_POST
def stop_intake(request: SignedInRequest, pk: int) -> HttpResponse:
    try:
        stop(actor=request.user, intake=_intake(pk))
    except CannotTakeIn as refusal:
        messages.warning(request, refusal.message)
    return redirect("intake", pk)


@requires(Verb.IMPORT_LIST)
@require_POST
def drop_intake(request: SignedInRequest, pk: int) -> HttpResponse:
    read = _intake(pk)
    try:
        drop(actor=request.user, intake=read)
    except CannotTakeIn as refusal:
        messages.warning(request, refusal.message)
        return redirect("intake", pk)
    messages.success(request, f"Dropped {read}: nothing of it was decided.")
    return redirect("new-intake")


@requires(Verb.READ_CASES)
@require_safe
def progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """Asked for again and again while the list lands; the whole page comes when it has."""
    read = _intake(pk)
    if read.is_landing:
        return render(request, "cases/intake_progress.html", {"intake": read})
    return HttpResponse(status=HTMX_STOP_POLLING, headers={"HX-Refresh": "true"})


@requires(Verb.READ_CASES)
@require_safe
def lines(request: SignedInRequest, pk: int) -> StreamingHttpResponse:
    """The lines of a group as CSV: line, text, what is wrong."""
    read = _intake(pk)
    chosen = _chosen(request, read)
    found = _in_group(read, chosen).order_by("place").values_list("number", "text", "why")
    response = StreamingHttpResponse(
        _csv(found.iterator(chunk_size=2_000)), content_type="text/csv; charset=utf-8"
    )
    name = f"list-{read.pk}-{chosen.replace(' ', '-')}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _csv(found: Iterator[tuple[int, str, str]]) -> Iterator[str]:
    yield "line,text,reason\r\n"
    for number, text, why in found:
        yield csv_row(str(number), defused(text), defused(why))


def _intake(pk: int) -> Intake:
    return get_object_or_404(Intake.objects.select_related("person", "confirmed_by"), pk=pk)


def _page(request: SignedInRequest, read: Intake, form: ConfirmListForm | None) -> HttpResponse:
    findings = _groups(read)
    counts = {group.key: group.count for group in findings}
    chosen = _chosen(request, read, findings)
    place = whole_number(request.GET, "after") or 0
    found = _in_group(read, chosen).filter(place__gt=place).select_related("against", "decision")
    page = list(found.order_by("place")[: PAGE + 1])
    new, contradicting = counts.get(Finding.NEW, 0), counts.get(Finding.CONTRADICTING, 0)
    may_import = may(request.user, Verb.IMPORT_LIST, read)
    context = {
        "nav": "decisions",
        "intake": read,
        "groups": findings,
        "chosen": chosen,
        "shown": next((group for group in findings if group.key == chosen), None),
        "lines": page[:PAGE],
        "next_place": page[PAGE - 1].place if len(page) > PAGE else None,
        "is_first_page": not place,
        "new": new,
        "contradicting": contradicting,
        "seen": shown_of(read) if read.is_draft and may_import else "",
        "form": form or ConfirmListForm(initial={"until": FOREVER if read.verdict == "blocked" else YEAR}),
        "may_import": may_import,
        "takes_lead": takes_lead(request.user, new),
        "small_list": SMALL_LIST,
    }
    return render(request, "cases/intake.html", context, status=422 if form and form.errors else 200)


def _groups(read: Intake) -> list[Group]:
    """What became of the lines first, then what was found of those that nothing became of."""
    outcomes = read.entries.exclude(outcome="").counts("outcome")
    findings = read.entries.filter(outcome="").counts("finding")
    told = [Group(each.value, each.label, "", outcomes[each]) for each in Outcome if outcomes.get(each)]
    rest = [
        Group(each.value, each.label, MEANS[each], findings.get(each, 0))
        for each in Finding
        if read.is_draft or findings.get(each)
    ]
    return told + rest


def _in_group(read: Intake, key: str) -> IntakeLineQuerySet:
    if key in set(Outcome):
        return read.entries.filter(outcome=key)
    return read.entries.filter(outcome="", finding=key)


def _chosen(request: SignedInRequest, read: Intake, groups: list[Group] | None = None) -> str:
    key = request.GET.get("group", "")
    known = groups if groups is not None else _groups(read)
    if key and key not in {group.key for group in known}:
        raise BadRequest(f"There is no group {key[:40]!r}.")
    return key or next((group.key for group in known if group.count), known[0].key)
