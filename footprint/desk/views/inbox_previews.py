"""What a line of the inbox is about, beside the list. Every line leads to a page of its own as well."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from cases.counting import count_values
from cases.drafts import look_at_proposal
from cases.models import Case, CaseValue, Decision, Proposal, Verdict
from cases.proposals import why_not_for
from cases.reviews import reviews_of_files, reviews_of_values
from cases.watchlists.after_block import effects_of
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb

VALUES_AT_MOST = 8
BLOCKED_AT_MOST = 200


@requires(Verb.READ_CASES)
@require_safe
def case_preview(request: SignedInRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(Case.objects.with_people(), pk=pk)
    values = CaseValue.objects.filter(case=case)
    blocked = values.filter(verdict=Verdict.BLOCKED).order_by("-last_seen", "-pk")[:BLOCKED_AT_MOST]
    effects = effects_of(case, [value.value for value in blocked])
    context = {
        "case": case,
        "files": list(case.files.all()[:VALUES_AT_MOST]),
        "counts": count_values(case.pk),
        "undecided": values.filter(verdict=Verdict.UNDECIDED).order_by("-devices", "-pk")[:VALUES_AT_MOST],
        "of_files": reviews_of_files(case)[:VALUES_AT_MOST],
        "of_values": reviews_of_values(case)[:VALUES_AT_MOST],
        "after_block": [(value, effect) for value, effect in effects.items() if effect.seen_at][
            :VALUES_AT_MOST
        ],
    }
    return render(request, "desk/inbox/preview_case.html", context)


@requires(Verb.READ_CASES)
@require_safe
def proposal_preview(request: SignedInRequest, pk: int) -> HttpResponse:
    proposal = get_object_or_404(Proposal.objects.with_decision(), pk=pk)
    look = look_at_proposal(proposal) if proposal.is_waiting else None
    context = {
        "proposal": proposal,
        "decision": proposal.decision,
        "look": look,
        "has_moved": look is not None and look.preview.digest != proposal.digest,
        "why_not": why_not_for(request.user, proposal),
    }
    return render(request, "desk/inbox/preview_proposal.html", context)


@requires(Verb.READ_CASES)
@require_safe
def decision_preview(request: SignedInRequest, pk: int) -> HttpResponse:
    decision = get_object_or_404(
        Decision.objects.select_related("proposer", "approver", "case", "made_in"), pk=pk
    )
    return render(request, "desk/inbox/preview_decision.html", {"decision": decision})
