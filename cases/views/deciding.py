"""Allow, block and undo."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from cases.actions import decide, undo
from cases.bases import basis_of
from cases.forms import DecideForm
from cases.models import Case, CaseValue, Decision, Endpoint, ValueKind
from cases.refusals import CannotDecide, DecidedMeanwhile, UndoRefused
from cases.views.filters import Filters, kept, kept_text
from cases.views.queue import VERDICTS, address_of, counts_of, editor_for, row_context, visit_of
from cases.views.rows import Row, rows_of
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb

SAID = {"allowed": "Allowed", "blocked": "Blocked"}


@requires(Verb.PROPOSE)
@require_POST
def decide_value(request: SignedInRequest, pk: int, value_pk: int) -> HttpResponse:
    value = get_object_or_404(CaseValue.objects.select_related("case__owner"), pk=value_pk, case=pk)
    if request.POST.get("verdict") not in VERDICTS:
        raise BadRequest("A value is allowed or blocked.")
    form = DecideForm(request.POST)
    if not form.is_valid():
        return _ask_again(request, value, form)
    try:
        decision = decide(
            actor=request.user,
            case=value.case,
            value=value.value,
            verdict=form.cleaned_data["verdict"],
            scope=form.cleaned_data["scope"],
            reason=form.cleaned_data["reason"],
            basis=form.cleaned_data["basis"],
            expires_at=form.expires_at(),
        )
    except CannotDecide as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return _ask_again(request, value, form)
    except DecidedMeanwhile as conflict:
        return _conflict(request, value, form, conflict)
    where = "everywhere" if decision.scope == Decision.Scope.EVERYWHERE else "in this case"
    return _done(request, value, f"{SAID[decision.verdict]} {value.value} {where}.", decision)


@requires(Verb.PROPOSE)
@require_POST
def undo_decision(request: SignedInRequest, pk: int, decision_pk: int) -> HttpResponse:
    decision = get_object_or_404(Decision.objects.select_related("proposer"), pk=decision_pk, made_in=pk)
    case = get_object_or_404(Case.objects.select_related("owner"), pk=pk)
    value = CaseValue.objects.filter(case=case, value=decision.subject).first()
    try:
        undone = undo(actor=request.user, decision=decision)
    except UndoRefused as refusal:
        return _not_undone(request, case, refusal)
    again = (
        f" {undone.remade.verdict} by {undone.remade.proposer} again."
        if undone.remade
        else " undecided again."
    )
    said = f"Undone: {decision.subject} is{again}"
    if value is None or not request.htmx:
        messages.success(request, said)
        return redirect(_back(request, case))
    return _part(request, value, said, None, "cases/queue_undone.html")


def _done(request: SignedInRequest, value: CaseValue, said: str, decision: Decision) -> HttpResponse:
    undo_url = reverse("case-undo", args=[value.case_id, decision.pk])
    if not request.htmx:
        # base.html makes the Undo form from the message's extra tags.
        messages.success(request, said, extra_tags=undo_url)
        return redirect(_back(request, value.case))
    response = _part(request, value, said, undo_url, "cases/queue_decided.html")
    return trigger_client_event(response, "decided", {"value": value.pk}, after="settle")


def _part(
    request: SignedInRequest, value: CaseValue, said: str, undo_url: str | None, template: str
) -> HttpResponse:
    """The row as it is now, the counts, what happened, and whether other rows changed too."""
    query = kept(QueryDict(request.POST.get("back", "")[:2000]))
    value = CaseValue.objects.select_related("case__owner").get(pk=value.pk)
    case = value.case
    filters = Filters.read(query, case.files.all(), new_since=visit_of(request, case))
    context = row_context(case, _row(request, value), query, request) | {
        "counts": counts_of(case, filters),
        "made": Decision.objects.filter(made_in=case).count(),
        "said": said,
        "undo_url": undo_url,
        "others": _other_rows(case, value),
    }
    return render(request, template, context)


def _other_rows(case: Case, value: CaseValue) -> int:
    """An address also stands beside names, whose rows change with it."""
    if value.kind != ValueKind.ADDRESS:
        return 0
    others = Endpoint.objects.covered_by(value).filter(case=case).exclude(value=value.value)
    return others.values("value").distinct().count()


def _ask_again(request: SignedInRequest, value: CaseValue, form: DecideForm) -> HttpResponse:
    case, verdict = value.case, request.POST["verdict"]
    shown = _row(request, value)
    shown.editor = editor_for(request.user, case, value, verdict, form=form)
    query = kept(QueryDict(request.POST.get("back", "")[:2000]))
    context = row_context(case, shown, query, request)
    template = "cases/queue_part.html" if request.htmx else "cases/decide.html"
    return render(request, template, context | {"nav": "cases", "tab": "queue"}, status=422)


def _conflict(
    request: SignedInRequest, value: CaseValue, form: DecideForm, conflict: DecidedMeanwhile
) -> HttpResponse:
    """Shows theirs beside mine. Nothing is written, and nothing that was typed is lost."""
    context = {
        "nav": "cases",
        "case": value.case,
        "value": value,
        "conflict": conflict,
        "theirs": conflict.current,
        "mine": form.cleaned_data,
        "mine_ends": form.expires_at(),
        "basis": basis_of(value.case, value.value),
        "back": kept_text(request.POST.get("back", "")),
        "back_url": _back(request, value.case),
    }
    template = "cases/conflict_dialog.html" if request.htmx else "cases/conflict.html"
    response = render(request, template, context, status=409)
    if request.htmx:
        response.headers["HX-Retarget"] = "#conflict"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _not_undone(request: SignedInRequest, case: Case, refusal: UndoRefused) -> HttpResponse:
    if not request.htmx:
        messages.error(request, f"Not undone: {refusal.why}")
        return redirect(_back(request, case))
    return render(request, "cases/undo_refused.html", {"refusal": refusal}, status=409)


def _row(request: SignedInRequest, value: CaseValue) -> Row:
    return rows_of(value.case, [value], person=request.user, new_since=visit_of(request, value.case))[0]


def _back(request: SignedInRequest, case: Case) -> str:
    if request.POST.get("back_to") == "decisions":
        return reverse("case-decisions", args=[case.pk])
    return address_of(case, kept_text(request.POST.get("back", "")))
