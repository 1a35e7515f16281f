from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Min, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from cases.models import Case
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from hunts.models import Hunt, Source
from hunts.trouble import in_trouble, runs_in_trouble

AT_MOST = 50
TROUBLE = timedelta(days=7)


@requires(Verb.READ_CASES)
@require_safe
def inbox(request: SignedInRequest) -> HttpResponse:
    """What needs someone: undecided values, sources that refuse us, runs that proved too little."""
    is_open = Q(values__is_open=True)
    waiting = (
        Case.objects.open()
        .annotate(values_open=Count("values", filter=is_open), oldest=Min("values__added_at", filter=is_open))
        .filter(values_open__gt=0)
        .select_related("owner")
        .order_by("oldest")[:AT_MOST]
    )
    trouble = (
        runs_in_trouble(timezone.now() - TROUBLE)
        .select_related("hunt__case", "hunt__source")
        .order_by("-ended_at")[:AT_MOST]
    )
    failing = in_trouble(Hunt.objects.filter(case__state__in=Case.LIVE)).select_related("case", "source")
    context = {
        "nav": "inbox",
        "waiting": waiting,
        "trouble": trouble,
        "refusing": Source.objects.refusing().select_related("owner"),
        "failing": failing.order_by("-pk")[:AT_MOST],
    }
    return render(request, "desk/inbox.html", context)
