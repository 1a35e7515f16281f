from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cases.models import FileKind
from hunts.models.run import Run
from hunts.querysets import SliceQuerySet


class Slice(models.Model):
    """The part of a run that one query covers: the unit of work and of retry.

    What was too much for one query is split: its children are asked in its place. `part` is empty, or the
    first digits that the MD5 of a pair has, and then the slice is about one day.

    `fence` counts claims: whoever holds an older number writes nothing. `attempts` counts questions
    the source failed; `losses` counts workers that vanished.
    """

    class Purpose(models.TextChoices):
        PLAN = "plan", "plan"
        DAYS = "days", "days"

    class State(models.TextChoices):
        WAITING = "waiting", "waits"
        ASKING = "asking", "asking"
        DONE = "done", "complete"
        # Answered, but not whole: its numbers are "at least".
        PARTIAL = "partial", "in part"
        SPLIT = "split", "split"
        OUT_OF_RETENTION = "out of retention", "out of retention"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="slices")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    purpose = models.CharField(max_length=8, choices=Purpose)
    # Names, SHA1 and SHA256 are asked in queries of their own.
    file_kind = models.CharField(max_length=8, choices=FileKind)
    first_day = models.DateField()
    last_day = models.DateField()
    part = models.CharField(max_length=4, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    not_before = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=100, blank=True)
    # Of a plan: days on which the table held no rows at all, of any file.
    silent_days = ArrayField(models.DateField(), default=list)
    estimated_groups = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)
    # How often the source was really asked: standing in line is not asking.
    questions = models.PositiveIntegerField(default=0)
    kql = models.TextField(blank=True)
    # What the source said when it failed or answered in part, in its own words.
    said = models.TextField(blank=True)
    hinted_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[SliceQuerySet] = SliceQuerySet.as_manager()  # type: ignore[assignment]  # as Run.objects

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(
                fields=["state", "lease_until"],
                condition=Q(state__in=["waiting", "asking"]),
                name="slice_work",
            ),
        )

    def __str__(self) -> str:
        return f"{self.purpose} of run {self.run_id}: {self.first_day} to {self.last_day}"


class StagedRows(models.Model):
    """Rows of a part of a day that wait for the other parts, since only the whole day can be merged.

    In buckets: all rows of an endpoint are in the same one, so that a day is merged bucket by bucket.
    """

    slice = models.ForeignKey(Slice, on_delete=models.CASCADE, related_name="staged")
    bucket = models.PositiveSmallIntegerField()
    # Compressed JSON.
    rows = models.BinaryField()

    class Meta:
        verbose_name_plural = "staged rows"
        constraints = (models.UniqueConstraint(fields=["slice", "bucket"], name="one_staging_per_bucket"),)

    def __str__(self) -> str:
        return f"bucket {self.bucket} of slice {self.slice_id}"
