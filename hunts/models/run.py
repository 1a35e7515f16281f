from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cases.models import CaseValue
from hunts.models.hunt import Hunt
from hunts.querysets import RunQuerySet


class Run(models.Model):
    """One asking of a hunt. Its work is its slices; the database is the queue's truth."""

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        COMPLETE = "complete", "complete"
        PARTIAL = "partial", "partial"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    ENDED = (State.COMPLETE, State.PARTIAL, State.FAILED, State.CANCELLED)

    hunt = models.ForeignKey(Hunt, on_delete=models.PROTECT, related_name="runs")
    # What the run was due for; unique per hunt, so that two clocks never open it twice.
    slot = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    first_day = models.DateField()
    last_day = models.DateField()
    opened_at = models.DateTimeField(auto_now_add=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancel_asked_at = models.DateTimeField(null=True)
    cancel_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Why it did not end complete, in words.
    reasons = models.JSONField(default=list)
    rows = models.BigIntegerField(default=0)
    new_endpoints = models.IntegerField(default=0)
    new_values = models.IntegerField(default=0)
    # Days before `first_day` that earlier runs left open and this one asks again, and how many more
    # there are than one run asks.
    owed_days = ArrayField(models.DateField(), default=list)
    owed_left = models.PositiveIntegerField(default=0)
    # Questions in a row that had no answer in time.
    timeouts = models.PositiveSmallIntegerField(default=0)
    # Rows empty on both sides after normalising make no endpoint; they are counted here.
    empty_rows = models.BigIntegerField(default=0)
    # Moves with every change the page shows; the ETag of the progress part.
    version = models.PositiveIntegerField(default=0)

    objects: ClassVar[RunQuerySet] = RunQuerySet.as_manager()  # type: ignore[assignment]  # a manager with its methods

    class Meta:
        constraints = (models.UniqueConstraint(fields=["hunt", "slot"], name="one_run_per_slot"),)
        indexes = (
            models.Index(fields=["hunt"], condition=Q(state__in=["queued", "running"]), name="run_underway"),
        )

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def has_ended(self) -> bool:
        return self.state in self.ENDED


class RunNews(models.Model):
    """What a run found that is news, told once: a value never seen before, back, or gone quiet.

    `day` is the day it is about: seen on it, or seen last. `before` is the day it had been seen before.
    """

    class Kind(models.TextChoices):
        NEW = "new", "new"
        RETURNING = "returning", "returning"
        QUIET = "quiet", "gone quiet"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="news")
    # Without a constraint, as the big tables: nothing deletes values.
    value = models.ForeignKey(
        CaseValue, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=9, choices=Kind)
    day = models.DateField()
    before = models.DateField(null=True)

    class Meta:
        verbose_name_plural = "news"
        constraints = (
            models.UniqueConstraint(fields=["value", "kind", "day"], name="one_news_per_day"),
            # A value is new once, whatever is learned of its days later.
            models.UniqueConstraint(fields=["value"], condition=Q(kind="new"), name="new_once"),
        )
        indexes = (models.Index(fields=["run", "kind", "id"], name="news_of_run"),)

    def __str__(self) -> str:
        return f"value {self.value_id} {self.kind} in run {self.run_id}"
