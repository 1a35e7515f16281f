"""Withdrawing and extending a decision: a page each, with what it would change."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from cases.actions import extend, withdraw
from cases.drafts import look_at_end
from cases.forms import YEAR, EndForm, ExtendForm
from cases.hints import hint_settling
from cases.models import Decision
from cases.refusals import CannotDecide, PreviewMoved
from cases.second_person import why_not_alone
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb

WAITS = "It waits for a second person."


@requires(Verb.PROPOSE)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw_decision(request: SignedInRequest, pk: int) -> HttpResponse:
    decision = _decision(pk)
    form = EndForm(request.POST or None)
    said = ""
    if request.method == "POST" and form.is_valid():
        try:
            proposal = withdraw(
                actor=request.user,
                decision=decision,
                reason=form.cleaned_data["reason"],
                seen=form.cleaned_data["seen"],
            )
        except PreviewMoved as moved:
            said = moved.message
        except CannotDecide as refusal:
            form.add_error(refusal.field or None, refusal.message)
        else:
            hint_settling()
            done = f"Proposed to withdraw: {decision}. {WAITS}" if proposal else f"Withdrawn: {decision}."
            messages.success(request, done)
            return redirect("decision", pk)
    is_in_force = Decision.objects.in_force().filter(pk=pk).exists()
    context = {
        "nav": "decisions",
        "decision": decision,
        "form": form,
        "said": said,
        "is_in_force": is_in_force,
        "look": look_at_end(request.user, decision) if is_in_force else None,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "cases/withdraw.html", context, status=status)


@requires(Verb.PROPOSE)
@require_http_methods(["GET", "HEAD", "POST"])
def extend_decision(request: SignedInRequest, pk: int) -> HttpResponse:
    decision = _decision(pk)
    form = ExtendForm(request.POST or None, initial={"until": YEAR, "reason": decision.reason})
    if request.method == "POST" and form.is_valid():
        try:
            longer = extend(
                actor=request.user,
                decision=decision,
                expires_at=form.expires_at(),
                reason=form.cleaned_data["reason"],
            )
        except CannotDecide as refusal:
            name = "until_date" if refusal.field == "expires_at" else refusal.field
            form.add_error(name or None, refusal.message)
        else:
            proposed = longer.state == Decision.State.PROPOSED
            done = f"Proposed to extend: {decision}. {WAITS}" if proposed else f"Extended: {longer}."
            messages.success(request, done)
            return redirect("decision", longer.pk)
    is_in_force = Decision.objects.in_force().filter(pk=pk).exists()
    context = {
        "nav": "decisions",
        "decision": decision,
        "form": form,
        "is_in_force": is_in_force,
        "why": why_not_alone(request.user, decision) if is_in_force else (),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "cases/extend.html", context, status=status)


def _decision(pk: int) -> Decision:
    return get_object_or_404(
        Decision.objects.select_related("proposer", "approver", "case", "made_in"), pk=pk
    )
