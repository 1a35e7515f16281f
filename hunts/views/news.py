"""What one run found that is news, one kind a page."""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.asked import whole_number
from hunts.models import Run, RunNews
from hunts.news import quiet_of

PAGE = 100


@requires(Verb.READ_CASES)
@require_safe
def news(request: SignedInRequest, pk: int, run_pk: int, kind: str) -> HttpResponse:
    run = get_object_or_404(
        Run.objects.select_related("hunt__case__owner", "hunt__source"), pk=run_pk, hunt__case=pk
    )
    if kind not in RunNews.Kind.values:
        raise BadRequest("A run tells what is new, returning or quiet.")
    of_kind = run.news.filter(kind=kind)
    after = whole_number(request.GET, "after")
    listed = list(
        (of_kind.filter(pk__gt=after) if after else of_kind)
        .select_related("value")
        .order_by("pk")[: PAGE + 1]
    )
    context = {
        "nav": "cases",
        "tab": "runs",
        "case": run.hunt.case,
        "run": run,
        "kind": kind,
        "words": RunNews.Kind(kind).label,
        "total": of_kind.count(),
        "news": listed[:PAGE],
        "after": listed[PAGE - 1].pk if len(listed) > PAGE else None,
        "quiet": quiet_of(run),
    }
    return render(request, "hunts/news.html", context)
