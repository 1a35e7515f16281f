from __future__ import annotations

from django.db import models

from hunts.models.hunt import Hunt
from hunts.models.run import Run


class Coverage(models.Model):
    """What is proven for one day of a hunt. Only `covered` counts for "nothing found"."""

    class State(models.TextChoices):
        COVERED = "covered", "covered"
        NO_TELEMETRY = "no telemetry", "no telemetry"
        OUT_OF_RETENTION = "out of retention", "out of retention"
        PARTIAL = "partial", "partial"
        OWED = "owed", "owed"

    hunt = models.ForeignKey(Hunt, on_delete=models.PROTECT, related_name="coverage")
    day = models.DateField()
    state = models.CharField(max_length=16, choices=State)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "coverage"
        constraints = (models.UniqueConstraint(fields=["hunt", "day"], name="one_coverage_per_day"),)

    def __str__(self) -> str:
        return f"{self.day}: {self.state}"
