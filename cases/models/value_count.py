from __future__ import annotations

from django.db import models

from cases.models.case import Case
from cases.models.choices import Verdict


class ValueCount(models.Model):
    """How many values of a case have a verdict, kept as changes whose sum is the number.

    The database adds them with every statement that changes values, so that nobody counts a million rows
    to draw a page and nobody waits for a shared counter. `cases/counting.py` reads and sums them up.
    """

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    verdict = models.CharField(max_length=16, choices=Verdict)
    change = models.BigIntegerField()

    class Meta:
        indexes = (models.Index(fields=["case", "verdict"], include=["change"], name="value_count"),)

    def __str__(self) -> str:
        return f"{self.change:+} {self.verdict} in case {self.case_id}"
