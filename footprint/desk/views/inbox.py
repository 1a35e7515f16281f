from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from cases.models import Batch, Case
from cases.waiting import expiring_for, proposals_waiting_for
from cases.watchlists.after_block import WORDS, seen_after_block
from cases.watchlists.models import Target
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.desk.waiting import waiting_cases
from hunts.models import Hunt, Source
from hunts.trouble import in_trouble, runs_in_trouble

AT_MOST = 50
TROUBLE = timedelta(days=7)


@requires(Verb.READ_CASES)
@require_safe
def inbox(request: SignedInRequest) -> HttpResponse:
    """What needs someone: undecided values, sources that refuse us, runs that proved too little."""
    waiting = waiting_cases(request.user, AT_MOST)
    trouble = (
        runs_in_trouble(timezone.now() - TROUBLE)
        .select_related("hunt__case", "hunt__source")
        .order_by("-ended_at")[:AT_MOST]
    )
    failing = in_trouble(Hunt.objects.filter(case__state__in=Case.LIVE)).select_related("case", "source")
    context = {
        "nav": "inbox",
        "mine": [line for line in waiting if line.is_mine],
        "waiting": [line for line in waiting if not line.is_mine],
        "batches": Batch.objects.waiting_for(request.user).select_related("case", "person")[:AT_MOST],
        "trouble": trouble,
        "refusing": Source.objects.refusing().select_related("owner"),
        "after_block": seen_after_block(),
        "after_block_words": WORDS,
        "targets": Target.objects.used().filter(stand=Target.Stand.TROUBLE).select_related("watchlist"),
        "proposals": proposals_waiting_for(request.user, AT_MOST),
        "expiring": expiring_for(request.user, AT_MOST),
        "failing": failing.order_by("-pk")[:AT_MOST],
    }
    return render(request, "desk/inbox.html", context)
