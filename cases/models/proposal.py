from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cases.models.decision import Decision
from cases.proposal_queryset import ProposalQuerySet


class Proposal(models.Model):
    """A decision to be made, or to be withdrawn, that waits for a second person.

    `why` says why one person was not enough. `judged_on` is the preview that the proposer saw and `digest`
    stands for it: approving what has moved since is refused.
    """

    class Kind(models.TextChoices):
        MAKE = "make", "to make"
        WITHDRAW = "withdraw", "to withdraw"

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        APPROVED = "approved", "approved"
        REJECTED = "rejected", "rejected"
        TAKEN_BACK = "taken back", "taken back"
        # The decision to be withdrawn ended in another way.
        OVERTAKEN = "overtaken", "overtaken"

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="proposals")
    kind = models.CharField(max_length=8, choices=Kind)
    proposer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    reason = models.TextField()
    why = ArrayField(models.TextField(), default=list)
    judged_on = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_because = models.TextField(blank=True)

    objects: ClassVar[ProposalQuerySet] = ProposalQuerySet.as_manager()  # type: ignore[assignment]  # as Case.objects

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["decision"], condition=Q(state="waiting"), name="one_proposal_waiting"
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(~Q(ended_by=models.F("proposer")), ended_by__isnull=False),
                name="proposer_never_approves",
            ),
        )
        indexes = (
            models.Index(fields=["proposed_at"], condition=Q(state="waiting"), name="proposal_waiting"),
        )

    def __str__(self) -> str:
        return f"the withdrawal of {self.decision}" if self.is_withdrawal else str(self.decision)

    @property
    def is_withdrawal(self) -> bool:
        return self.kind == self.Kind.WITHDRAW

    @property
    def is_waiting(self) -> bool:
        return self.state == self.State.WAITING
