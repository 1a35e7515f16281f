"""Everything known about one value of a case: a panel beside the queue, and a page of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from cases.bases import covering_values, subjects_over
from cases.known.matching import known_hits
from cases.models import CaseValue, Decision
from cases.preflight import seen
from cases.views.evidence import active_hours_of, because_of, directions_of, link_outs_of, sets_of
from cases.views.queue import visit_of
from cases.views.rows import Pair, busiest_pairs, rows_of
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb

# Evidence is gathered from so many endpoints of a value at most, the busiest first.
ENDPOINTS_AT_MOST = 200
DECISIONS_AT_MOST = 20


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
    pairs = busiest_pairs(value, ENDPOINTS_AT_MOST)
    endpoints = [pair.endpoint for pair in pairs]
    is_cut = value.endpoints > len(pairs)
    subject = value.exact_subject
    prevalence, around = seen(subject)
    context = {
        "nav": "cases",
        "case": case,
        "row": rows_of(case, [value], person=request.user, new_since=visit_of(request, case))[0],
        "value": value,
        "evidence": sets_of(endpoints, is_cut=is_cut),
        "direction": directions_of(endpoints),
        "active_hours": active_hours_of(endpoints),
        "because": because_of(endpoints),
        "beside": _beside(value, pairs),
        "beside_cut": is_cut,
        "prevalence": prevalence,
        "around": around,
        "known": known_hits([subject]).get(subject, []),
        "decisions": decisions_on(value.value),
        "link_outs": link_outs_of(value.value, value.kind),
        "is_cut": is_cut,
    }
    template = "cases/value_panel.html" if request.htmx else "cases/value.html"
    return render(request, template, context)


@dataclass(frozen=True, slots=True)
class DecisionsOn:
    """`is_cut` when there are more than are listed."""

    listed: list[Decision]
    is_cut: bool


def decisions_on(value: str) -> DecisionsOn:
    """Those whose subject covers the value, in all cases: what lives first, then the youngest."""
    made = covering_values([value]).filter(subject__in=subjects_over(value))
    made = made.select_related("proposer", "made_in", "case", "ended_by", "approver")
    most = DECISIONS_AT_MOST + 1
    living = list(made.living().order_by("-pk")[:most])
    ended = made.exclude(state__in=[Decision.State.IN_FORCE, Decision.State.PROPOSED])
    found = [*living, *ended.order_by("-pk")[: most - len(living)]]
    return DecisionsOn(found[:DECISIONS_AT_MOST], len(found) > DECISIONS_AT_MOST)


def _beside(value: CaseValue, pairs: Iterable[Pair]) -> list[Beside]:
    found: dict[str, Beside] = {}
    for pair in pairs:
        endpoint = pair.endpoint
        other = str(endpoint.ip or "") if endpoint.dns else ""
        if other:
            before = found.get(other, Beside(other, 0, 0))
            found[other] = Beside(other, before.events + pair.events, before.endpoints + 1)
    return sorted(found.values(), key=lambda beside: (-beside.events, beside.value))
