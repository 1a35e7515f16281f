from __future__ import annotations

from datetime import date, time, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from cases.models import Case, CaseFile
from hunts.models.source import Source
from hunts.querysets import HuntQuerySet
from hunts.schedules import LONGEST_CRON, Rhythm, Schedule


class Hunt(models.Model):
    """A question of a case: these files, at this source, looking back so many days."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="hunts")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="hunts")
    files = models.ManyToManyField(CaseFile, related_name="hunts")
    # Whole UTC days up to today, or from a fixed day on when `since` is set.
    look_back_days = models.PositiveIntegerField(default=30)
    since = models.DateField(null=True)
    # The schedule, as hunts.schedules reads it; without a rhythm the hunt is asked by people only.
    rhythm = models.CharField(max_length=8, blank=True, choices=[(each, each) for each in Rhythm])
    every = models.PositiveSmallIntegerField(default=1)
    at = models.TimeField(default=time(6))
    time_zone = models.CharField(max_length=64, default="UTC")
    cron = models.CharField(max_length=LONGEST_CRON, blank=True)
    starts_on = models.DateField(default=date(1970, 1, 1))
    # How far a scheduled run looks back; what the schedule says by itself when it is not set.
    overlap_hours = models.PositiveIntegerField(null=True)
    # What the next run is due for, and when it starts: later by the jitter. Both null without a schedule.
    next_slot = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[HuntQuerySet] = HuntQuerySet.as_manager()  # type: ignore[assignment]  # as Run.objects

    class Meta:
        indexes = (
            models.Index(
                fields=["next_at"],
                condition=Q(next_at__isnull=False, paused_at__isnull=True),
                name="hunt_due",
            ),
        )

    def __str__(self) -> str:
        return f"hunt {self.pk} of case {self.case_id}"

    @property
    def schedule(self) -> Schedule | None:
        if not self.rhythm:
            return None
        return Schedule(Rhythm(self.rhythm), self.every, self.at, self.time_zone, self.cron, self.starts_on)

    @property
    def overlap(self) -> timedelta | None:
        """How far back a scheduled run asks, in whole UTC days from there on; None without a schedule."""
        schedule = self.schedule
        return None if schedule is None else timedelta(hours=self.overlap_hours or schedule.overlap_hours)
