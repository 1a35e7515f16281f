"""Proposals of others that wait for the reader, in bulk too; and the reader's own that came back."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from cases.models import Batch, Proposal
from cases.verdicts.preview import Preview
from cases.waiting import WaitingProposal, proposals_to_answer
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person
from footprint.desk.inbox.groups import Group, Line, with_total

CAME_BACK = timedelta(days=7)


def approvals(person: Person, at_most: int) -> Group:
    found, total = with_total(proposals_to_answer(person), at_most)
    lines = [
        Line(
            WaitingProposal(each, Preview.from_kept(each.judged_on)),
            each.proposed_at,
            reverse("inbox-proposal", args=[each.pk]),
        )
        for each in found
    ]
    return Group("approvals", "Approvals that wait for you", lines, total)


def batches(person: Person, at_most: int) -> Group:
    found, total = with_total(Batch.objects.waiting_for(person).select_related("case", "person"), at_most)
    lines = [Line(each, each.confirmed_at, reverse("inbox-case", args=[each.case_id])) for each in found]
    return Group("batches", "Proposed in bulk, for you to answer", lines, total)


def came_back(person: Person, at_most: int) -> Group:
    """For some days; proposing anew is up to the person."""
    if not may(person, Verb.PROPOSE):
        return Group("came_back", "")
    rejected = Proposal.objects.filter(
        proposer=person, state=Proposal.State.REJECTED, ended_at__gt=timezone.now() - CAME_BACK
    )
    found, total = with_total(
        rejected.with_decision().select_related("decision__case").order_by("-ended_at"), at_most
    )
    lines = [Line(each, each.ended_at, reverse("inbox-proposal", args=[each.pk])) for each in found]
    return Group("came_back", "Rejected, back to you", lines, total)
