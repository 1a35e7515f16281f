from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count

if TYPE_CHECKING:
    from cases.models import IntakeLine  # named in a string only


class IntakeLineQuerySet(models.QuerySet["IntakeLine"]):
    def counts(self, column: str) -> dict[str, int]:
        """How many there are of each finding or outcome."""
        return dict(self.values_list(column).annotate(n=Count("place")).order_by(column))

    def to_land(self, *, takes_over: bool) -> IntakeLineQuerySet:
        """Those that would be decided, in the order of the list."""
        wanted = ["new", "contradicting"] if takes_over else ["new"]
        return self.filter(finding__in=wanted, outcome="").order_by("place")
