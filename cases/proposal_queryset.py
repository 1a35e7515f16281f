from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from footprint.accounts.may import Verb, may

if TYPE_CHECKING:
    from cases.models import Proposal  # named in a string only
    from footprint.accounts.models import Person

WIDE_KINDS = ("below", "network")


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def waiting(self) -> ProposalQuerySet:
        return self.filter(state="waiting")

    def waiting_for(self, person: Person) -> ProposalQuerySet:
        """Those that the person may approve or reject: never their own, everywhere-wide ones as a lead."""
        if not may(person, Verb.APPROVE):
            return self.none()
        others = self.waiting().exclude(proposer=person.pk)
        if may(person, Verb.APPROVE_WIDE):
            return others
        return others.exclude(decision__scope="everywhere", decision__subject_kind__in=WIDE_KINDS)

    def outside_batches(self) -> ProposalQuerySet:
        """Without what a batch proposed, which is answered as one."""
        return self.exclude(kind="make", decision__batch__isnull=False)

    def with_decision(self) -> ProposalQuerySet:
        return self.select_related(
            "proposer", "ended_by", "decision__made_in", "decision__case", "decision__proposer"
        )
