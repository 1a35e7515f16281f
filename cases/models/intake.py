from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from netfields import CidrAddressField

from cases.intake_querysets import IntakeLineQuerySet
from cases.models.choices import Verdict
from cases.models.decision import Decision


class Intake(models.Model):
    """Somebody else's list that is taken in: what was read, what it would change, and how far that is.

    Reading it decides nothing. Once a person confirms, workers land it step by step; `position` is the place
    of the last line that has landed, and each step is one transaction that holds this row.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "not confirmed"
        LANDING = "landing", "being imported"
        LANDED = "landed", "imported"
        STOPPED = "stopped", "stopped"
        DROPPED = "dropped", "dropped"

    # The name of the file as the browser told it; empty for what was pasted.
    name = models.CharField(max_length=255, blank=True)
    reader = models.CharField(max_length=32)
    # Of the bytes that were uploaded or pasted.
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    verdict = models.CharField(
        max_length=16, choices=[(v.value, v.label) for v in (Verdict.ALLOWED, Verdict.BLOCKED)]
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="intakes")
    read_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    # Comments and empty lines, which are not kept.
    asides = models.PositiveIntegerField(default=0)
    lines = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True)
    # Whether lines that contradict a decision in force are decided too.
    takes_over = models.BooleanField(default=False)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # How many lines were to land when it was confirmed.
    total = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    # Why it was stopped, in words.
    said = models.TextField(blank=True)
    # Moves with every step.
    version = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["id"], condition=Q(state="landing"), name="intake_landing"),)

    def __str__(self) -> str:
        return self.name or "pasted text"

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_landing(self) -> bool:
        return self.state == self.State.LANDING


class IntakeLine(models.Model):
    """One entry of a list. `number` is its line there; `place` counts entries, as a line may hold several."""

    class Finding(models.TextChoices):
        NEW = "new", "new"
        KNOWN = "known", "known"
        CONTRADICTING = "contradicting", "contradicting"
        OTHERWISE = "otherwise", "says otherwise"
        TOO_WIDE = "too wide", "too wide"
        UNREADABLE = "unreadable", "unreadable"
        REPEATED = "repeated", "repeated"

    class Outcome(models.TextChoices):
        MADE = "made", "decided"
        PROPOSED = "proposed", "proposed"
        KNOWN = "known since", "decided so meanwhile"
        LEFT = "left", "left alone"

    pk = models.CompositePrimaryKey("intake_id", "place")
    intake = models.ForeignKey(Intake, on_delete=models.PROTECT, related_name="entries", db_index=False)
    place = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    text = models.TextField()
    kind = models.CharField(max_length=8, blank=True, choices=Decision.SubjectKind)
    subject = models.TextField(blank=True, db_collation="C")
    network = CidrAddressField(null=True)
    finding = models.CharField(max_length=16, choices=Finding)
    # What is wrong with it, or why it was left alone.
    why = models.TextField(blank=True)
    # The decision in force that says the same or the opposite.
    against = models.ForeignKey(
        Decision, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    outcome = models.CharField(max_length=16, blank=True, choices=Outcome)
    decision = models.ForeignKey(
        Decision, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )

    objects: ClassVar[IntakeLineQuerySet] = IntakeLineQuerySet.as_manager()  # type: ignore[assignment]  # a manager with its methods

    class Meta:
        indexes = (
            models.Index(fields=["intake", "finding", "place"], name="lines_by_finding"),
            models.Index(
                fields=["intake", "outcome", "place"], condition=~Q(outcome=""), name="lines_by_outcome"
            ),
            models.Index(fields=["decision"], condition=Q(decision__isnull=False), name="line_of_decision"),
        )

    def __str__(self) -> str:
        return self.text

    @property
    def subject_typed(self) -> str:
        return f"*.{self.subject}" if self.kind == Decision.SubjectKind.BELOW else self.subject
