"""What a case says of itself, and its state: shown, changed, and never overwritten unseen."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from cases.case_actions import CannotChange, CaseChangedMeanwhile, assign, edit_case
from cases.case_forms import CaseForm, StateForm
from cases.counting import count_values
from cases.models import Case
from cases.state_actions import change_state, in_words, staying_in_force
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.asked import whole_number

SAID = {
    Case.State.OPEN: "Case {pk} is open again.",
    Case.State.WATCHING: "Case {pk} is watching: its hunts go on.",
    Case.State.CLOSED: "Case {pk} is closed. {staying}",
}


@dataclass(frozen=True, slots=True)
class Theirs:
    """What a colleague has saved meanwhile, for the fields that differ from what was typed."""

    who: str
    conflict: CaseChangedMeanwhile
    fields: dict[str, str]


@requires(Verb.EDIT_CASE)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    case = _case(pk)
    if request.method != "POST":
        return _edit_page(request, case, CaseForm(case=case, initial=CaseForm.first_values(case)))
    form = CaseForm(request.POST, case=case)
    if not form.is_valid():
        return _edit_page(request, case, form, status=422)
    try:
        edit_case(actor=request.user, case=case, version=form.cleaned_data["version"], facts=form.facts())
    except CannotChange as refusal:
        form.add_error(refusal.field or None, refusal.message)
        return _edit_page(request, case, form, status=422)
    except CaseChangedMeanwhile as conflict:
        return _edit_conflict(request, conflict)
    messages.success(request, f"Case {pk} is saved.")
    return redirect("case", pk)


@requires(Verb.EDIT_CASE)
@require_POST
def assign_case(request: SignedInRequest, pk: int) -> HttpResponse:
    """To whoever presses it, or with `to=nobody` to nobody."""
    case = _case(pk)
    assignee = None if request.POST.get("to") == "nobody" else request.user
    version = whole_number(request.POST, "version") or 0
    try:
        assign(actor=request.user, case=case, version=version, assignee=assignee)
    except CaseChangedMeanwhile as conflict:
        has_it = conflict.current.assignee or "nobody"
        messages.warning(
            request, f"{conflict.who} changed the case meanwhile; it is assigned to {has_it}. Look again."
        )
    else:
        messages.success(request, f"Case {pk} is {'yours' if assignee else 'assigned to nobody'} now.")
    return redirect(_back(request, case))


@requires(Verb.EDIT_CASE)
@require_http_methods(["GET", "HEAD", "POST"])
def state(request: SignedInRequest, pk: int) -> HttpResponse:
    case = _case(pk)
    if request.method != "POST":
        wanted = request.GET.get("to", "")
        first = {"state": wanted if wanted in Case.State.values else case.state, "version": case.version}
        return _state_page(request, case, StateForm(initial=first))
    form = StateForm(request.POST)
    if not form.is_valid():
        return _state_page(request, case, form, status=422)
    try:
        moved = change_state(actor=request.user, case=case, **form.cleaned_data)
    except CannotChange as refusal:
        form.add_error(refusal.field or None, refusal.message)
        return _state_page(request, case, form, status=422)
    except CaseChangedMeanwhile as conflict:
        again = StateForm({**request.POST.dict(), "version": conflict.current.version})
        return _state_page(request, conflict.current, again, conflict=conflict, status=409)
    said = SAID[Case.State(moved.state)].format(pk=pk, staying=in_words(staying_in_force(moved)))
    messages.success(request, said.strip())
    return redirect("case", pk)


def _case(pk: int) -> Case:
    return get_object_or_404(Case.objects.select_related("owner", "assignee", "state_by"), pk=pk)


def _edit_page(
    request: SignedInRequest, case: Case, form: CaseForm, *, theirs: Theirs | None = None, status: int = 200
) -> HttpResponse:
    context = {"nav": "cases", "case": case, "tab": "edit", "form": form, "theirs": theirs}
    return render(request, "cases/case_edit.html", context, status=status)


def _edit_conflict(request: SignedInRequest, conflict: CaseChangedMeanwhile) -> HttpResponse:
    """The form as it was typed; saved again, it overwrites what is shown beside it."""
    kept = CaseForm.first_values(conflict.current)
    again = CaseForm({**request.POST.dict(), "version": conflict.current.version}, case=conflict.current)
    again.is_valid()
    shown = _in_words(conflict.current)
    mine, theirs = again.cleaned_data, CaseForm(kept, case=conflict.current)
    theirs.is_valid()
    differing = {
        name: words for name, words in shown.items() if mine.get(name) != theirs.cleaned_data.get(name)
    }
    return _edit_page(
        request, conflict.current, again, theirs=Theirs(conflict.who, conflict, differing), status=409
    )


def _in_words(case: Case) -> dict[str, str]:
    return {
        "title": case.title,
        "why": case.why or "nothing",
        "severity": case.get_severity_display(),
        "tlp": case.get_tlp_display(),
        "owner": str(case.owner),
        "assignee": str(case.assignee or "nobody"),
        "tags": ", ".join(case.tags) or "none",
    }


def _state_page(
    request: SignedInRequest,
    case: Case,
    form: StateForm,
    *,
    conflict: CaseChangedMeanwhile | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "nav": "cases",
        "case": case,
        "tab": "state",
        "form": form,
        "conflict": conflict,
        "undecided": count_values(case.pk).undecided,
        "staying": in_words(staying_in_force(case)),
    }
    return render(request, "cases/case_state.html", context, status=status)


def _back(request: SignedInRequest, case: Case) -> str:
    """The tab that the button was on."""
    queue = reverse("case", args=[case.pk])
    back = request.POST.get("back", "")
    is_ours = back.startswith(queue) and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return back if is_ours else queue
