"""The known lists: what is loaded, whether it warns, and which of them have a value."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from cases.known.actions import switch_list
from cases.known.matching import KnownHit, known_hits
from cases.models import KnownList
from cases.verdicts.ranges import Range, ranges_of
from cases.verdicts.subject import Subject, SubjectRefused, read_subject
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb, may
from footprint.asked import search_text

_ORDER = {category: place for place, category in enumerate(KnownList.Category.values)}


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the lists say about one value, or why it is none."""

    subject: Subject | None
    hits: list[KnownHit]
    ranges: list[Range]
    refused: str = ""


@requires(Verb.READ_CASES)
@require_safe
def known_lists(request: SignedInRequest) -> HttpResponse:
    lists = sorted(KnownList.objects.all(), key=lambda each: _ORDER[each.category])
    value = search_text(request.GET, "value")
    context = {
        "nav": "watchlists",
        "lists": lists,
        "entries": sum(each.entry_count for each in lists),
        "ignored": sum(each.standing == KnownList.Standing.IGNORE for each in lists),
        "value": value,
        "looked_up": _look_up(value) if value else None,
        "manages": may(request.user, Verb.MANAGE_KNOWN_LISTS),
    }
    return render(request, "desk/known_lists.html", context)


@requires(Verb.MANAGE_KNOWN_LISTS)
@require_POST
def switch(request: SignedInRequest, slug: str) -> HttpResponse:
    known_list = get_object_or_404(KnownList, slug=slug)
    standing = request.POST.get("standing")
    if standing not in KnownList.Standing.values:
        raise BadRequest("A list warns or is ignored.")
    saved = switch_list(actor=request.user, known_list=known_list, standing=standing)
    said = "warns" if saved.standing == KnownList.Standing.WARN else "is ignored"
    messages.success(request, f"{saved.title} {said} from now on.")
    return redirect(f"{reverse('known-lists')}#{slug}")


def _look_up(value: str) -> LookedUp:
    try:
        subject = read_subject(value)
    except SubjectRefused as refusal:
        return LookedUp(None, [], [], str(refusal))
    house = settings.FOOTPRINT
    ranges = ranges_of(subject, own_networks=house.own_ranges, own_names=house.own_domains)
    return LookedUp(subject, known_hits([subject]).get(subject, []), ranges)
