"""What waits for a person to act on decisions: proposals of others, and their own that soon expire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from cases.bases import by_value
from cases.models import Case, Decision, Proposal
from cases.observed import read_address
from cases.proposal_queryset import ProposalQuerySet
from cases.querysets import DecisionQuerySet
from cases.verdicts.preview import Preview
from cases.verdicts.subject import suffixes_of
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person

# As covering_values and covering say it. For every page of every queue, and mostly nothing waits. Each kind
# of subject has its own way in, through an index: an OR of them reads all decisions that something waits on.
# OFFSET 0 keeps the planner from that, too. Networks in force have few lengths: they are found by equality.
_ON_VALUES = """
    WITH found AS (
        SELECT d.* FROM unnest(%(values)s::text[]) AS asked(subject)
         CROSS JOIN LATERAL (
            SELECT * FROM cases_decision d WHERE d.subject = asked.subject COLLATE "C" OFFSET 0) d
         WHERE d.subject_kind IN ('name', 'address', 'text')
        UNION ALL
        SELECT d.* FROM unnest(%(above)s::text[]) AS asked(subject)
         CROSS JOIN LATERAL (
            SELECT * FROM cases_decision d WHERE d.subject = asked.subject COLLATE "C" OFFSET 0) d
         WHERE d.subject_kind = 'below'
        UNION ALL
        SELECT d.*
          FROM (SELECT DISTINCT set_masklen(covered.at::cidr, lengths.length) AS network
                  FROM unnest(%(addresses)s::inet[]) AS covered(at)
                  JOIN (SELECT DISTINCT family(n.network) AS family, masklen(n.network) AS length
                          FROM cases_decision n
                         WHERE n.state = 'in force' AND n.subject_kind = 'network') lengths
                    ON lengths.family = family(covered.at)) around
         CROSS JOIN LATERAL (
            SELECT * FROM cases_decision d
             WHERE d.network = around.network AND d.state = 'in force' AND d.network IS NOT NULL OFFSET 0) d
         WHERE d.subject_kind = 'network'
        UNION ALL
        SELECT d.* FROM (
            SELECT * FROM cases_decision d
             WHERE d.state = 'proposed' AND d.subject_kind IN ('below', 'network') OFFSET 0) d
         WHERE d.subject_kind = 'network'
           AND EXISTS (SELECT FROM unnest(%(addresses)s::inet[]) covered(at) WHERE covered.at <<= d.network)
    )
    SELECT d.subject_kind, d.subject, p.id
      FROM found d
     CROSS JOIN LATERAL (
        SELECT * FROM cases_proposal p WHERE p.decision_id = d.id AND p.state = 'waiting' OFFSET 0) p
     WHERE d.state IN ('in force', 'proposed')
       AND (d.scope = 'everywhere' OR d.case_id = %(case)s
            OR d.scope = 'file' AND EXISTS (
               SELECT FROM cases_casefile f
                WHERE f.case_id = %(case)s AND f.kind = d.file_kind AND f.key = d.file_key))
     ORDER BY p.proposed_at, p.id
"""


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
    ending = found.filter(expires_at__lte=soon).select_related("proposer", "approver", "case", "made_in")
    return ending.order_by("expires_at", "pk")


def proposals_on(case: Case, values: Sequence[str]) -> dict[str, list[Proposal]]:
    """By value, the proposals that wait, cover it and reach the case, the oldest first."""
    addresses = [value for value in values if read_address(value)]
    names = set(values).difference(addresses)
    asked: dict[str, Any] = {
        "case": case.pk,
        "values": list(set(values)),
        "above": list({suffix for name in names for suffix in suffixes_of(name)}),
        "addresses": addresses,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ON_VALUES, asked)
        waiting = cursor.fetchall()
    ids = {pk for _, _, pk in waiting}
    found = Proposal.objects.select_related("proposer", "decision").in_bulk(ids) if ids else {}
    there = [(kind, subject, found[pk]) for kind, subject, pk in waiting if pk in found]
    return by_value(values, there)


def wide_sum(proposals: Sequence[Proposal]) -> int:
    """Of the ids of the wide decisions that are proposed; moves when one comes or is answered."""
    decisions = {each.decision_id: each.decision for each in proposals}
    return sum(
        pk
        for pk, decision in decisions.items()
        if decision.state == Decision.State.PROPOSED and decision.as_subject.is_wide
    )
