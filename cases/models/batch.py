from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cases.models.case import Case, CaseFile
from cases.models.choices import ValueKind, Verdict
from cases.models.decision import Decision
from cases.models.endpoint import CaseValue
from cases.querysets import BatchQuerySet


class Batch(models.Model):
    """One verdict, with one reason, on many values of a case at once.

    What it is on is frozen when a person is shown what it would touch. A worker then decides it step by
    step, under a lease as a slice's: `fence` counts claims, `losses` workers that vanished, `position` is
    where the next step of the present `task` begins. Later a person may have it undone as a whole.
    """

    class Task(models.TextChoices):
        DECIDING = "deciding", "deciding"
        APPROVING = "approving", "approving"
        REJECTING = "rejecting", "rejecting"
        UNDOING = "undoing", "undoing"

    class State(models.TextChoices):
        # Shown to the person and not yet confirmed.
        DRAFT = "draft", "not confirmed"
        QUEUED = "queued", "waits for a worker"
        RUNNING = "running", "running"
        DONE = "done", "done"
        STOPPED = "stopped", "stopped"
        FAILED = "failed", "failed"

    UNDERWAY = (State.QUEUED, State.RUNNING)

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="batches")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="batches")
    # The filter as the address says it. Empty with `is_picked` off: every value of the case.
    query = models.TextField(blank=True)
    # The values were ticked one by one.
    is_picked = models.BooleanField(default=False)
    verdict = models.CharField(
        max_length=16, choices=[(v.value, v.label) for v in (Verdict.ALLOWED, Verdict.BLOCKED)]
    )
    scope = models.CharField(max_length=16, choices=Decision.Scope)
    # Of a decision for one file.
    file = models.ForeignKey(CaseFile, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    expires_at = models.DateTimeField(null=True)
    frozen_at = models.DateTimeField(auto_now_add=True)
    # The wide decisions in force then; what is exactly on a value is kept with the value.
    wide_basis = ArrayField(models.BigIntegerField(), default=list)
    confirmed_at = models.DateTimeField(null=True)
    task = models.CharField(max_length=16, choices=Task, default=Task.DECIDING)
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    # Who wants the present task done.
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    task_reason = models.TextField(blank=True)
    total = models.PositiveIntegerField(default=0)
    # Selected too, and left out: they were still being settled.
    unsettled = models.PositiveIntegerField(default=0)
    position = models.BigIntegerField(default=0)
    task_total = models.PositiveIntegerField(default=0)
    task_done = models.PositiveIntegerField(default=0)
    decided = models.PositiveIntegerField(default=0)
    proposed = models.PositiveIntegerField(default=0)
    superseded = models.PositiveIntegerField(default=0)
    left_alone = models.PositiveIntegerField(default=0)
    approved = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    withdrawn = models.PositiveIntegerField(default=0)
    made_again = models.PositiveIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=100, blank=True)
    hinted_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Why it failed, or who stopped or ended it, in words.
    said = models.TextField(blank=True)
    # Moves with every change the page shows.
    version = models.PositiveIntegerField(default=0)

    objects: ClassVar[BatchQuerySet] = BatchQuerySet.as_manager()  # type: ignore[assignment]  # as Case.objects

    class Meta:
        verbose_name_plural = "batches"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["case", "-id"], name="batches_of_case"),
            models.Index(
                fields=["state"], condition=Q(state__in=["draft", "queued", "running"]), name="batch_underway"
            ),
        )

    def __str__(self) -> str:
        return f"batch {self.pk}"

    @property
    def is_underway(self) -> bool:
        return self.state in self.UNDERWAY

    @property
    def has_decided(self) -> bool:
        return bool(self.decided or self.proposed)

    @property
    def is_undone(self) -> bool:
        return self.task == self.Task.UNDOING and self.state == self.State.DONE

    @property
    def shape(self) -> str:
        """The word for such a state that has a glyph."""
        return _SHAPES[self.State(self.state)]

    @property
    def percent(self) -> int:
        return min(100, self.task_done * 100 // self.task_total) if self.task_total else 100

    @property
    def in_words(self) -> str:
        """As it stands in the ledger and on top of its page."""
        noun = "allow" if self.verdict == Verdict.ALLOWED else "block"
        values = "1 value" if self.total == 1 else f"{self.total:,} values"
        return f"{noun} of {values}, {self.get_scope_display()}"

    def seconds(self, now: datetime) -> float | None:
        """Since a worker took up the present task."""
        return ((self.ended_at or now) - self.started_at).total_seconds() if self.started_at else None


_SHAPES = {
    Batch.State.DRAFT: "queued",
    Batch.State.QUEUED: "queued",
    Batch.State.RUNNING: "running",
    Batch.State.DONE: "complete",
    Batch.State.STOPPED: "cancelled",
    Batch.State.FAILED: "failed",
}


class BatchValue(models.Model):
    """A value as it was when its batch was frozen; removed again when the batch has decided."""

    pk = models.CompositePrimaryKey("batch_id", "number")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="values", db_index=False)
    number = models.PositiveIntegerField()
    # As the big tables: no foreign key that checks each row.
    case_value = models.ForeignKey(
        CaseValue, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    value = models.TextField(db_collation="C")
    kind = models.CharField(max_length=8, choices=ValueKind)
    verdict = models.CharField(max_length=16, choices=Verdict)
    # The decisions in force on exactly this value that the person saw.
    basis = ArrayField(models.BigIntegerField(), default=list)

    def __str__(self) -> str:
        return self.value


class LeftAlone(models.Model):
    """A value or decision that a task of a batch did not touch, and why."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="left")
    task = models.CharField(max_length=16, choices=Batch.Task)
    value = models.TextField(db_collation="C")
    why = models.TextField()
    # What stands in the way, where a decision does.
    because = models.ForeignKey(Decision, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "left alone"
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.value}: {self.why}"
