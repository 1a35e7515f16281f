"""Everything about one decision."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from cases.governed import LOOKED_AT_MOST, Governed, governed_by
from cases.models import Decision, Intake, IntakeLine
from cases.settling import Waiting
from cases.verdicts.subject import shown_form
from cases.views.decision_list import state_in_words
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb

# Of the other decisions on the same subject, and of those that cover it.
SHOWN = 50
_WHO = ("proposer", "approver", "ended_by", "case", "made_in")


@requires(Verb.READ_CASES)
@require_safe
def decision_page(request: SignedInRequest, pk: int) -> HttpResponse:
    decision = get_object_or_404(Decision.objects.select_related(*_WHO, "supersedes"), pk=pk)
    state = state_in_words(decision, timezone.now())
    is_in_force = state == Decision.State.IN_FORCE
    subject = decision.as_subject
    history, around = _on_the_same_subject(decision), _around(decision)
    context = {
        "nav": "decisions",
        "decision": decision,
        "state": state,
        "is_in_force": is_in_force,
        "covers": subject.in_words(),
        "shown_form": shown_form(decision.subject),
        "history": history[:SHOWN],
        "history_is_cut": len(history) > SHOWN,
        "around": around[:SHOWN],
        "around_is_cut": len(around) > SHOWN,
        "governed": governed_by(decision) if is_in_force else Governed((), (), False, Waiting()),
        "looked_at_most": LOOKED_AT_MOST,
        "only": [decision],
        "intake": _intake_of(decision),
    }
    return render(request, "cases/decision.html", context)


def _on_the_same_subject(decision: Decision) -> Sequence[Decision]:
    """All there ever were, in any scope, the youngest first: what superseded what is among them."""
    same = Decision.objects.filter(subject=decision.subject, subject_kind=decision.subject_kind)
    return list(same.select_related(*_WHO).order_by("-pk")[: SHOWN + 1])


def _intake_of(decision: Decision) -> Intake | None:
    """The list that brought it, where one did."""
    landed = IntakeLine.Outcome.MADE, IntakeLine.Outcome.PROPOSED
    line = IntakeLine.objects.filter(decision=decision, outcome__in=landed).select_related("intake").first()
    return line.intake if line else None


def _around(decision: Decision) -> Sequence[Decision]:
    """In force on what lies around this subject: names above it, networks it is in."""
    found = Decision.objects.in_force().covering_subject(decision.as_subject).select_related(*_WHO)
    return list(found.order_by("subject_kind", "pk")[: SHOWN + 1])
