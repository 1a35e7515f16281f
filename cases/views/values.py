"""Everything known about one value of a case: a panel beside the queue, and a page of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from cases.explained import explain_endpoint
from cases.models import CaseValue, Decision
from cases.views.queue import visit_of
from cases.views.rows import Pair, busiest_pairs, rows_of
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb

# Evidence is gathered from so many endpoints of a value at most, the busiest first.
ENDPOINTS_AT_MOST = 200
SETS = (
    "actions",
    "ports",
    "accounts",
    "folders",
    "hashes",
    "publishers",
    "parents",
    "command_lines",
    "devices",
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen beside the value. `more` says the set was cut somewhere: it is at least this."""

    items: tuple[object, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """An address that a name pairs with."""

    value: str
    events: int
    endpoints: int


@requires(Verb.READ_CASES)
@require_safe
@vary_on_headers("HX-Request")
def value_page(request: SignedInRequest, pk: int, value_pk: int) -> HttpResponse:
    value = get_object_or_404(CaseValue.objects.select_related("case__owner"), pk=value_pk, case=pk)
    case = value.case
    pairs = busiest_pairs(value, ENDPOINTS_AT_MOST + 1)
    is_cut = len(pairs) > ENDPOINTS_AT_MOST
    pairs = pairs[:ENDPOINTS_AT_MOST]
    decisions = list(_decisions_on(value))
    context = {
        "nav": "cases",
        "case": case,
        "row": rows_of(case, [value], person=request.user, new_since=visit_of(request, case))[0],
        "value": value,
        "evidence": {name: _evidence(pairs, name, is_cut) for name in SETS},
        "beside": _beside(value, pairs),
        "beside_cut": is_cut,
        "decisions": decisions,
        "because": explain_endpoint(pairs[0].endpoint) if pairs and decisions else "",
    }
    template = "cases/value_panel.html" if request.htmx else "cases/value.html"
    return render(request, template, context)


def _decisions_on(value: CaseValue) -> Iterable[Decision]:
    """All that were ever made about exactly this value, here or elsewhere, the youngest first."""
    made = Decision.objects.on_values([value.value]).select_related("proposer", "made_in", "ended_by")
    return made.order_by("-pk")[:20]


def _evidence(pairs: Iterable[Pair], name: str, is_cut: bool) -> Evidence:
    found: dict[Any, None] = {}
    more = is_cut
    for pair in pairs:
        found.update(dict.fromkeys(getattr(pair.endpoint, name)))
        more = more or name in pair.endpoint.more
    return Evidence(tuple(sorted(found)), more)


def _beside(value: CaseValue, pairs: Iterable[Pair]) -> list[Beside]:
    found: dict[str, Beside] = {}
    for pair in pairs:
        endpoint = pair.endpoint
        other = str(endpoint.ip or "") if endpoint.dns else ""
        if other:
            before = found.get(other, Beside(other, 0, 0))
            found[other] = Beside(other, before.events + pair.events, before.endpoints + 1)
    return sorted(found.values(), key=lambda beside: (-beside.events, beside.value))
