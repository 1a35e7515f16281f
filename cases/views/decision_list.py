"""The decisions of all cases: in force, waiting, expiring and ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from cases.models import Decision
from cases.querysets import DecisionQuerySet
from cases.verdicts.subject import Subject
from cases.views.decision_filters import STATES, DecisionFilters, of_state
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.asked import whole_number

PAGE = 50
# Counted exactly up to here; above, the page says "more than".
COUNTED_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """`covers` is set where the subject covers what was searched without being it."""

    decision: Decision
    covers: bool
    state: str

    @classmethod
    def of(cls, decision: Decision, asked: Subject | None) -> DecisionRow:
        subject = decision.as_subject
        covers = asked is not None and subject != asked and subject.covers(asked)
        return cls(decision, covers, state_in_words(decision, timezone.now()))


@dataclass(frozen=True, slots=True)
class StateTab:
    key: str
    name: str
    count: int
    query: str


@requires(Verb.READ_CASES)
@require_safe
def decision_list(request: SignedInRequest) -> HttpResponse:
    filters = DecisionFilters.read(request.GET)
    matching = filters.apply(Decision.objects.all())
    after = whole_number(request.GET, "after")
    listed = matching if after is None else filters.order.beyond(matching, after)
    listed = filters.order.apply(listed).select_related("proposer", "approver", "ended_by", "case")
    found = list(listed[: PAGE + 1])
    page = found[:PAGE]
    is_whole = after is None and len(found) <= PAGE
    context = {
        "nav": "decisions",
        "filters": filters,
        "tabs": _tabs(filters),
        "rows": [DecisionRow.of(decision, filters.asked) for decision in page],
        "matching": len(found) if is_whole else count_of(matching),
        "counted_at_most": COUNTED_AT_MOST,
        "next_query": filters.query(after=str(page[-1].pk)) if len(found) > PAGE else "",
        "first_query": filters.query(),
        "is_first_page": after is None,
        "chips": _chips(filters),
    }
    return render(request, "cases/decision_list.html", context)


def count_of(decisions: DecisionQuerySet) -> int:
    """Exact up to COUNTED_AT_MOST; above, one more than that."""
    return decisions.order_by()[: COUNTED_AT_MOST + 1].count()


def state_in_words(decision: Decision, now: datetime) -> str:
    """By the clock, as precedence goes by it: the state column may follow a little later."""
    is_over = decision.state == Decision.State.IN_FORCE and decision.is_past(now)
    return "expired" if is_over else decision.get_state_display()


def _tabs(filters: DecisionFilters) -> list[StateTab]:
    return [
        StateTab(
            key, name, count_of(of_state(Decision.objects.all(), key)), filters.query(state=key, sort="")
        )
        for key, name in STATES.items()
    ]


def _chips(filters: DecisionFilters) -> list[tuple[str, str, str]]:
    """What is filtered by and has no control of its own: name, words, and the query that drops it."""
    chips = []
    if filters.case:
        chips.append(("made in case", str(filters.case), filters.query(case="")))
    if filters.search:
        chips.append(("search", filters.search, filters.query(q="")))
    return chips
