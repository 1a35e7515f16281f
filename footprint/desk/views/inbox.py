from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.desk.inbox.order import has_work, inbox_of, whole_group
from footprint.desk.inbox.visits import last_visit


@requires(Verb.READ_CASES)
@require_safe
def inbox(request: SignedInRequest) -> HttpResponse:
    """What needs the reader, the most urgent first. `?all=` shows one group with all its lines."""
    slug = request.GET.get("all", "")
    whole = whole_group(request.user, slug) if slug else None
    if slug and whole is None:
        raise Http404("Nothing of that kind waits for you.")
    groups = [whole] if whole else inbox_of(request.user)
    context = {
        "nav": "inbox",
        "groups": [group for group in groups if group.lines],
        "whole": whole,
        "total": sum(group.total for group in groups),
        "has_work": has_work(request.user),
        "last_visit": last_visit(request.session),
    }
    return render(request, "desk/inbox.html", context)
