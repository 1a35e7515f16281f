from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Lower
from netfields import CidrAddressField

from cases.models.case import Case
from cases.models.choices import Verdict
from cases.querysets import DecisionQuerySet
from cases.verdicts import precedence
from cases.verdicts.subject import Subject

if TYPE_CHECKING:
    from footprint.accounts.models import Person  # the foreign keys name it by its setting


class Decision(models.Model):
    """A person's allow or block of a subject, in a scope. Rows are ended, never edited or deleted."""

    class SubjectKind(models.TextChoices):
        NAME = "name", "exact name"
        BELOW = "below", "name and everything below"
        ADDRESS = "address", "address"
        NETWORK = "network", "network"
        TEXT = "text", "exact text"

    class Scope(models.TextChoices):
        CASE = "case", "this case"
        FILE = "file", "this file"
        EVERYWHERE = "everywhere", "everywhere"

    class State(models.TextChoices):
        PROPOSED = "proposed", "proposed"
        IN_FORCE = "in force", "in force"
        REJECTED = "rejected", "rejected"
        WITHDRAWN = "withdrawn", "withdrawn"
        SUPERSEDED = "superseded", "superseded"
        EXPIRED = "expired", "expired"

    verdict = models.CharField(
        max_length=16, choices=[(v.value, v.label) for v in (Verdict.ALLOWED, Verdict.BLOCKED)]
    )
    subject_kind = models.CharField(max_length=8, choices=SubjectKind)
    subject = models.TextField(db_collation="C")
    # The subject again where it is an address or a network, for matching by the database.
    network = CidrAddressField(null=True)
    scope = models.CharField(max_length=16, choices=Scope)
    # The case of a case-wide decision; for the others it is empty, and `made_in` says where it was made.
    # An index is written with each row, and nothing looks them up by it or by most people below: a watchlist
    # that asks for those of its cases is served by the indexes that hold it too (`one_decision_in_force`).
    case = models.ForeignKey(Case, null=True, db_index=False, on_delete=models.PROTECT, related_name="+")
    file_kind = models.CharField(max_length=8, blank=True)
    file_key = models.TextField(blank=True, db_collation="C")
    made_in = models.ForeignKey(
        Case, null=True, db_index=False, on_delete=models.PROTECT, related_name="decisions_made"
    )
    reason = models.TextField()
    expires_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=16, choices=State)
    proposer = models.ForeignKey(
        settings.AUTH_USER_MODEL, db_index=False, on_delete=models.PROTECT, related_name="proposed"
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, db_index=False, on_delete=models.PROTECT, related_name="approved"
    )
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    # What this decision took the place of; undoing it makes that one again.
    supersedes = models.ForeignKey(
        "self", null=True, db_index=False, on_delete=models.PROTECT, related_name="superseded_by"
    )
    # Of what an undo made again: the decision that it is the same as.
    made_again_from = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    version = models.PositiveIntegerField(default=1)
    # Of a decision that was made in bulk.
    batch = models.ForeignKey(
        "cases.Batch",
        null=True,
        on_delete=models.PROTECT,
        related_name="decisions",
        db_index=False,
        db_constraint=False,
    )

    objects: ClassVar[DecisionQuerySet] = DecisionQuerySet.as_manager()  # type: ignore[assignment]  # as Case.objects

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["subject_kind", "subject", "scope", "case", "file_kind", "file_key"],
                condition=Q(state="in force"),
                nulls_distinct=False,
                name="one_decision_in_force",
            ),
            models.UniqueConstraint(
                fields=["subject_kind", "subject", "scope", "case", "file_kind", "file_key"],
                condition=Q(state="proposed"),
                nulls_distinct=False,
                name="one_decision_proposed",
            ),
            models.CheckConstraint(
                condition=Q(scope="case", case__isnull=False, file_kind="", file_key="")
                | Q(Q(scope="file", case__isnull=True) & ~Q(file_kind="") & ~Q(file_key=""))
                | Q(scope="everywhere", case__isnull=True, file_kind="", file_key=""),
                name="decision_scope_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(subject_kind__in=["address", "network"], network__isnull=False)
                | Q(subject_kind__in=["name", "below", "text"], network__isnull=True),
                name="decision_network_as_kind",
            ),
        )
        indexes = (
            models.Index(
                fields=["scope", "verdict", "subject_kind", "subject"],
                condition=Q(state="in force"),
                name="decision_lists",
            ),
            models.Index(fields=["subject"], name="decision_subject"),
            # Lowered for the reason that the text of values is.
            GinIndex(OpClass(Lower("subject"), name="gin_trgm_ops"), name="decision_text"),
            models.Index(
                fields=["network"],
                condition=Q(state="in force", network__isnull=False),
                name="decision_network",
            ),
            # The prefixes in use, which settling asks for.
            models.Index(
                Func(F("network"), function="family"),
                Func(F("network"), function="masklen"),
                condition=Q(state="in force", subject_kind="network"),
                name="decision_prefixes",
            ),
            # Read backwards, what was decided below one name lies beside each other.
            models.Index(
                Func(F("subject"), function="reverse"),
                condition=Q(state="in force", subject_kind__in=["name", "below"]),
                name="decision_backwards",
            ),
            # The last reason that a person gave for a block or an allow.
            models.Index(fields=["proposer", "verdict", "-id"], name="decision_last_reason"),
            models.Index(
                fields=["expires_at"],
                condition=Q(state="in force", expires_at__isnull=False),
                name="decision_expiry",
            ),
            models.Index(fields=["made_in", "-id"], name="decision_made_in"),
            # The few that reach many values once a second person approves them.
            models.Index(
                fields=["id"],
                condition=Q(state="proposed", subject_kind__in=["below", "network"]),
                name="decision_wide_proposed",
            ),
            # The page of all decisions, the newest of each state first.
            models.Index(fields=["state", "-id"], name="decision_state"),
            models.Index(fields=["batch", "id"], condition=Q(batch__isnull=False), name="decisions_of_batch"),
            # What has changed since a watchlist was published, asked at each tick.
            models.Index(fields=["made_at"], name="decision_made"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="decision_ended"),
        )

    def __str__(self) -> str:
        return self.said_of(self.subject_typed)

    def said_of(self, typed: str) -> str:
        """As this one is said, on a subject as people write it."""
        return f"{self.noun} of {typed}, {precedence.SCOPE_WORDS[precedence.Scope(self.scope)]}"

    def is_past(self, at: datetime) -> bool:
        """Whether its time is over, which the state column may follow a little later."""
        return self.expires_at is not None and self.expires_at <= at

    @property
    def in_force_by(self) -> Person:
        """Who put it in force: the second person, where it was proposed."""
        return self.approver or self.proposer

    @property
    def by_whom(self) -> str:
        """As people say it: who put it in force, and who proposed it where that was another."""
        proposed = f", proposed by {self.proposer}" if self.approver_id is not None else ""
        return f"{self.in_force_by}{proposed}"

    @property
    def is_living(self) -> bool:
        return self.state in (self.State.IN_FORCE, self.State.PROPOSED)

    @property
    def is_of_closed_case(self) -> bool:
        """Then it stays as it is until the case is reopened."""
        return self.case is not None and not self.case.is_live

    @property
    def noun(self) -> str:
        return "allow" if self.verdict == Verdict.ALLOWED else "block"

    @property
    def as_subject(self) -> Subject:
        return Subject.of_value(self.subject, self.subject_kind)

    @property
    def subject_typed(self) -> str:
        """The subject as people write it, with its star."""
        return self.as_subject.typed
