"""What waits for a person to act on decisions: proposals of others, and their own that soon expire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from cases.bases import by_value, covering_values
from cases.models import Case, Decision, Proposal
from cases.proposal_queryset import ProposalQuerySet
from cases.querysets import DecisionQuerySet
from cases.verdicts.preview import Preview
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person


@dataclass(frozen=True, slots=True)
class WaitingProposal:
    proposal: Proposal
    judged_on: Preview

    @property
    def decision(self) -> Decision:
        return self.proposal.decision


@dataclass(frozen=True, slots=True)
class Expiring:
    """`is_mine` is why it waits for this person; else it is theirs by the case."""

    decision: Decision
    is_mine: bool


def proposals_to_answer(person: Person) -> ProposalQuerySet:
    """Those that the person may approve or reject, the oldest first. A batch is a line of its own."""
    found = Proposal.objects.waiting_for(person).with_decision().select_related("decision__case")
    return found.outside_batches().order_by("proposed_at", "pk")


def decisions_expiring_for(person: Person) -> DecisionQuerySet:
    """Decisions in force that end within the days of the setting: one's own, and those of one's cases."""
    if not may(person, Verb.PROPOSE):
        return Decision.objects.none()
    soon = Now() + timedelta(days=settings.FOOTPRINT.expiry_warning_days)
    found = Decision.objects.in_force().filter(
        Q(proposer=person) | Q(made_in__owner=person) | Q(made_in__assignee=person)
    )
    ending = found.filter(expires_at__lte=soon).select_related("proposer", "case", "made_in")
    return ending.order_by("expires_at", "pk")


def proposals_on(case: Case, values: Sequence[str]) -> dict[str, list[Proposal]]:
    """By value, the proposals that wait, cover it and reach the case, the oldest first."""
    reaching = covering_values(values).covering(case).living()
    found = Proposal.objects.waiting().filter(decision__in=reaching).select_related("proposer", "decision")
    waiting = [
        (each.decision.subject_kind, each.decision.subject, each) for each in found.order_by("proposed_at")
    ]
    return by_value(values, waiting)


def wide_sum(proposals: Sequence[Proposal]) -> int:
    """Of the ids of the wide decisions that are proposed; moves when one comes or is answered."""
    decisions = {each.decision_id: each.decision for each in proposals}
    return sum(
        pk
        for pk, decision in decisions.items()
        if decision.state == Decision.State.PROPOSED and decision.as_subject.is_wide
    )
