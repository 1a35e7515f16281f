"""Allow, block, look at what that would change, and undo."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Count
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from cases.actions import Undone, decide, undo
from cases.bases import basis_of
from cases.deciding import subject_for
from cases.forms import DecideForm
from cases.hints import hint_settling
from cases.models import Case, CaseValue, Decision, Endpoint, ValueKind
from cases.refusals import CannotDecide, DecidedMeanwhile, PreviewMoved, UndoRefused
from cases.settling import waiting_in, waiting_values
from cases.verdicts.precedence import SCOPE_WORDS, Scope
from cases.views.decision_list import COUNTED_AT_MOST, count_of
from cases.views.editor import add_refusal, editor_for, files_of, look_of
from cases.views.filters import Filters, kept, kept_text
from cases.views.queue import VERDICTS, address_of, counts_of, row_context, visit_of
from cases.views.rows import Row, rows_of
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.asked import Gone

SAID = {"allowed": "Allowed", "blocked": "Blocked"}
# Of the endpoints on an address; more is "at least".
_ENDPOINTS_COUNTED = 2_000
LOOK_FIRST = "This is what would change. Nothing is saved yet: look at it, then confirm."


@requires(Verb.PROPOSE)
@require_POST
def decide_value(request: SignedInRequest, pk: int, value_pk: int) -> HttpResponse:
    value = _value(pk, value_pk)
    if request.POST.get("verdict") not in VERDICTS:
        raise BadRequest("A value is allowed or blocked.")
    form = DecideForm(request.POST, files=files_of(value))
    if not form.is_valid():
        return _ask_again(request, value, form)
    if form.typed_subject() not in {"", value.value} and not form.cleaned_data["seen"]:
        look = look_of(request.user, value, form)
        if look is None or look.is_wide:
            return _ask_again(request, value, form, said=LOOK_FIRST)
    try:
        decision = decide(
            actor=request.user,
            case=value.case,
            value=value.value,
            verdict=form.cleaned_data["verdict"],
            scope=form.cleaned_data["scope"],
            reason=form.cleaned_data["reason"],
            basis=form.cleaned_data["basis"],
            subject=form.typed_subject(),
            expires_at=form.expires_at(),
            file=form.chosen_file(),
            seen=form.cleaned_data["seen"],
        )
    except CannotDecide as refusal:
        add_refusal(form, refusal)
        return _ask_again(request, value, form)
    except PreviewMoved as moved:
        return _ask_again(request, value, form, said=moved.message)
    except DecidedMeanwhile as conflict:
        return _conflict(request, value, form, conflict)
    hint_settling()
    return _done(request, value, decision)


@requires(Verb.PROPOSE)
@require_safe
def look(request: SignedInRequest, pk: int, value_pk: int) -> HttpResponse:
    """What the decision that stands in the form would change; nothing is saved."""
    value = _value(pk, value_pk)
    form = DecideForm(request.GET, files=files_of(value))
    context = {"look": look_of(request.user, value, form), "form": form, "case": value.case}
    return render(request, "cases/look_part.html", context)


@requires(Verb.PROPOSE)
@require_POST
def undo_decision(request: SignedInRequest, pk: int, decision_pk: int) -> HttpResponse:
    # The case is the one on the screen; the decision may have been made in another, or in none.
    decision = get_object_or_404(Decision.objects.select_related("proposer"), pk=decision_pk)
    case = get_object_or_404(Case.objects.select_related("owner"), pk=pk)
    # A filter that is none is refused before anything is undone.
    Filters.read(kept(QueryDict(request.POST.get("back", "")[:2000])), case.files.all())
    value = CaseValue.objects.filter(case=case, value=decision.subject).first()
    try:
        undone = undo(actor=request.user, decision=decision)
    except UndoRefused as refusal:
        return _not_undone(request, case, decision, refusal)
    hint_settling()
    said = _said_undone(undone, value)
    if value is None or not request.htmx:
        messages.success(request, said)
        return redirect(_back(request, case))
    return _part(request, value, said, None, "cases/queue_undone.html")


def _said_undone(undone: Undone, value: CaseValue | None) -> str:
    """What governs the value now may be another decision: its verdict is read after the undo."""
    typed = undone.withdrawn.subject_typed
    if undone.remade is not None:
        return f"Undone: {typed} is {undone.remade.verdict} by {undone.remade.in_force_by} again."
    if value is None or waiting_values(value.case_id, [value.value])[value.value]:
        return f"Undone: {undone.withdrawn}."
    value.refresh_from_db(fields=["verdict"])
    if value.verdict == "undecided":
        return f"Undone: {typed} is undecided again."
    return f"Undone: {typed} is {value.get_verdict_display()} now, by another decision."


def _value(pk: int, value_pk: int) -> CaseValue:
    found = CaseValue.objects.select_related("case__owner").filter(pk=value_pk, case=pk).first()
    if found is None:
        raise Gone(
            "This value is no longer in the case. Nothing was decided; go back, and your browser still has"
            " what you typed."
        )
    return found


def _done(request: SignedInRequest, value: CaseValue, decision: Decision) -> HttpResponse:
    if decision.state == Decision.State.PROPOSED:
        said, undo_url = f"Proposed: {decision}. It waits for a second person.", None
    else:
        where = SCOPE_WORDS[Scope(decision.scope)]
        said = f"{SAID[decision.verdict]} {decision.subject_typed} {where}."
        undo_url = reverse("case-undo", args=[value.case_id, decision.pk])
    if not request.htmx:
        # base.html makes the Undo form from the message's extra tags.
        messages.success(request, said, extra_tags=undo_url or "")
        return redirect(_back(request, value.case))
    response = _part(request, value, said, undo_url, "cases/queue_decided.html", decision)
    return trigger_client_event(response, "decided", {"value": value.pk}, after="settle")


def _part(
    request: SignedInRequest,
    value: CaseValue,
    said: str,
    undo_url: str | None,
    template: str,
    decision: Decision | None = None,
) -> HttpResponse:
    """The row as it is now, the counts, what happened, and whether other rows changed too."""
    query = kept(QueryDict(request.POST.get("back", "")[:2000]))
    value = CaseValue.objects.select_related("case__owner").get(pk=value.pk)
    case = value.case
    filters = Filters.read(query, case.files.all(), new_since=visit_of(request, case))
    context = row_context(case, _row(request, value), query, request) | {
        "counts": counts_of(case, filters),
        "made": count_of(Decision.objects.filter(made_in=case)),
        "made_most": COUNTED_AT_MOST,
        "said": said,
        "undo_url": undo_url,
        **_other_rows(case, value),
        "settling": waiting_in(case.pk),
        "reached_more": decision is not None and decision.as_subject.is_wide,
    }
    return render(request, template, context)


def _other_rows(case: Case, value: CaseValue) -> dict[str, object]:
    """An address also stands beside names, whose rows change with it."""
    if value.kind != ValueKind.ADDRESS:
        return {"others": 0}
    others = Endpoint.objects.covered_by(value).filter(case=case).exclude(value=value.value)
    counted = others.first_of(_ENDPOINTS_COUNTED)
    found = counted.aggregate(rows=Count("value", distinct=True), endpoints=Count("pk"))
    return {"others": found["rows"], "others_more": found["endpoints"] == _ENDPOINTS_COUNTED}


def _ask_again(request: SignedInRequest, value: CaseValue, form: DecideForm, said: str = "") -> HttpResponse:
    case, verdict = value.case, request.POST["verdict"]
    is_wider = bool(request.POST.get("wider")) or form.data.get("subject", value.value) != value.value
    shown = _row(request, value)
    editor = editor_for(request.user, case, value, verdict, form=form, is_wider=is_wider)
    editor.said = said
    if said or is_wider:
        editor.look = look_of(request.user, value, form)
    shown.editor = editor
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
        "mine_subject": form.typed_subject() or value.value,
        "mine_ends": form.expires_at(),
        "ends_alike": _day_of(conflict.current.expires_at if conflict.current else None)
        == _day_of(form.expires_at()),
        "mine_file": form.chosen_file(),
        "same_place": _is_same_place(form, value, conflict.current),
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


def _day_of(end: datetime | None) -> date | None:
    """As the reader is shown it."""
    if end is None:
        return None
    try:
        return timezone.localtime(end).date()
    except OverflowError:  # the last hours that a date can have are another year in some zones
        return end.date()


def _is_same_place(form: DecideForm, value: CaseValue, theirs: Decision | None) -> bool:
    if theirs is None or theirs.scope != form.cleaned_data["scope"]:
        return False
    file = form.chosen_file()
    if file is not None and (theirs.file_kind, theirs.file_key) != (file.kind, file.key):
        return False
    return theirs.as_subject == subject_for(value, form.typed_subject())


def _not_undone(
    request: SignedInRequest, case: Case, decision: Decision, refusal: UndoRefused
) -> HttpResponse:
    if not request.htmx:
        messages.error(request, f"Not undone: {refusal.why}")
        return redirect(_back(request, case))
    return render(request, "cases/undo_refused.html", {"refusal": refusal, "decision": decision}, status=409)


def _row(request: SignedInRequest, value: CaseValue) -> Row:
    return rows_of(value.case, [value], person=request.user, new_since=visit_of(request, value.case))[0]


def _back(request: SignedInRequest, case: Case) -> str:
    if request.POST.get("back_to") == "decisions":
        return reverse("case-decisions", args=[case.pk])
    return address_of(case, kept_text(request.POST.get("back", "")))
