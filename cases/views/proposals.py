"""A proposal and what its second person does with it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from cases.drafts import look_at_proposal
from cases.forms import EndForm
from cases.hints import hint_settling
from cases.models import Proposal
from cases.proposal_actions import approve, reject, take_back
from cases.proposals import why_not_for
from cases.refusals import CannotDecide, ProposalMoved, Refused
from cases.settling import waiting_of
from cases.verdicts.preview import Preview
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb


@requires(Verb.READ_CASES)
@require_safe
def proposal_page(request: SignedInRequest, pk: int) -> HttpResponse:
    return _page(request, _proposal(pk), EndForm())


@requires(Verb.APPROVE)
@require_POST
def approve_proposal(request: SignedInRequest, pk: int) -> HttpResponse:
    proposal = _proposal(pk)
    try:
        approve(actor=request.user, proposal=proposal, seen=request.POST.get("seen", "")[:64])
    except ProposalMoved as moved:
        return _page(request, moved.proposal, EndForm(), moved.message)
    except Refused as refusal:
        return _page(request, proposal, EndForm(), refusal.message)
    hint_settling()
    messages.success(request, f"Approved: {proposal}.")
    return redirect("inbox")


@requires(Verb.APPROVE)
@require_POST
def reject_proposal(request: SignedInRequest, pk: int) -> HttpResponse:
    proposal = _proposal(pk)
    form = EndForm(request.POST)
    if not form.is_valid():
        return _page(request, proposal, form, "")
    try:
        reject(actor=request.user, proposal=proposal, reason=form.cleaned_data["reason"])
    except CannotDecide as refusal:
        form.add_error(refusal.field or None, refusal.message)
        return _page(request, proposal, form, "")
    except Refused as refusal:
        return _page(request, proposal, form, refusal.message)
    messages.success(request, f"Rejected: {proposal}.")
    return redirect("inbox")


@requires(Verb.PROPOSE)
@require_POST
def take_proposal_back(request: SignedInRequest, pk: int) -> HttpResponse:
    proposal = _proposal(pk)
    try:
        take_back(actor=request.user, proposal=proposal)
    except Refused as refusal:
        return _page(request, proposal, EndForm(), refusal.message)
    messages.success(request, f"Taken back: {proposal}.")
    return redirect("inbox")


def _proposal(pk: int) -> Proposal:
    return get_object_or_404(Proposal.objects.with_decision(), pk=pk)


def _page(
    request: SignedInRequest, proposal: Proposal, form: EndForm, refused: str | None = None
) -> HttpResponse:
    """`refused` is a sentence, or empty where the form says it; None when nothing was asked."""
    proposal = _proposal(proposal.pk)
    look = look_at_proposal(proposal) if proposal.is_waiting else None
    context = {
        "nav": "inbox",
        "proposal": proposal,
        "decision": proposal.decision,
        "form": form,
        "look": look,
        "before": Preview.from_kept(proposal.judged_on),
        "standing_is_kept": "standing" in proposal.judged_on,
        "settling": waiting_of(proposal.decision) if look is not None else None,
        "has_moved": look is not None and look.preview.digest != proposal.digest,
        "why_not": why_not_for(request.user, proposal),
        "is_mine": proposal.proposer_id == request.user.pk,
        "is_closed": proposal.decision.is_of_closed_case,
        "refused": refused,
    }
    return render(request, "cases/proposal.html", context, status=200 if refused is None else 409)
