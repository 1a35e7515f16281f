"""The decisions made in a case."""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from cases.models import Batch, Case, Decision
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb, may

PAGE = 50
BATCHES = 10


@requires(Verb.READ_CASES)
@require_safe
def decisions(request: SignedInRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(Case.objects.with_people().prefetch_related("files"), pk=pk)
    made = Decision.objects.filter(made_in=case)
    before = request.GET.get("before", "")
    if before and not (before.isascii() and before.isdecimal() and len(before) < 19):
        raise BadRequest("This is not a page of the list.")
    page = made.filter(pk__lt=int(before)) if before else made
    shown = list(
        page.select_related("proposer", "approver", "ended_by", "supersedes").order_by("-pk")[: PAGE + 1]
    )
    context = {
        "nav": "cases",
        "case": case,
        "tab": "decisions",
        "decisions": shown[:PAGE],
        "total": made.count(),
        "next_before": shown[PAGE - 1].pk if len(shown) > PAGE else None,
        "is_first_page": not before,
        "batches": Batch.objects.confirmed().filter(case=case).select_related("person")[:BATCHES],
        "may_undo": may(request.user, Verb.DECIDE, case),
    }
    return render(request, "cases/decisions.html", context)
