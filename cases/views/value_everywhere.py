"""One name or address across all cases, also one that no case knows."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from cases.everywhere import canonical, everywhere, kind_of
from cases.known.matching import known_hits
from cases.observed import is_storable
from cases.preflight import seen
from cases.views.evidence import directions_of, link_outs_of, sets_of
from cases.views.values import decisions_on
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb

LONGEST = 600


@requires(Verb.READ_CASES)
@require_safe
def value_everywhere(request: SignedInRequest) -> HttpResponse:
    """`?value=` as it is kept or as a person types it; what is typed leads on to what is kept."""
    typed = request.GET.get("value", "")[:LONGEST]
    if not typed.strip():
        return render(request, "cases/value_unread.html", {"nav": "cases", "typed": ""})
    if is_storable(typed) and (kind := kind_of(typed)):
        return _page(request, typed, kind)
    read = canonical(typed)
    if read is None:
        return render(request, "cases/value_unread.html", {"nav": "cases", "typed": typed}, status=404)
    value, kind = read
    if value != typed:
        return redirect(address_of_value(value))
    return _page(request, value, kind)


def address_of_value(value: str) -> str:
    return f"{reverse('value')}?{urlencode({'value': value})}"


def _page(request: SignedInRequest, value: str, kind: str) -> HttpResponse:
    found = everywhere(value, kind)
    subject = found.subject
    prevalence, around = seen(subject)
    is_cut = found.endpoints_cut or prevalence.is_cut
    context = {
        "nav": "cases",
        "found": found,
        "evidence": sets_of(found.endpoints, is_cut=is_cut),
        "direction": directions_of(found.endpoints),
        "prevalence": prevalence,
        "devices": max([prevalence.devices, *(each.devices for each in found.values)]),
        "devices_cut": prevalence.devices_cut or any(each.devices_more for each in found.values),
        "around": around,
        "known": known_hits([subject]).get(subject, []),
        "decisions": decisions_on(value),
        "link_outs": link_outs_of(value, found.kind),
    }
    return render(request, "cases/value_everywhere.html", context, status=200 if found.is_known else 404)
