from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count

if TYPE_CHECKING:
    from cases.models import IntakeLine  # named in a string only


class IntakeLineQuerySet(models.QuerySet["IntakeLine"]):
    def counts(self, column: str) -> dict[str, int]:
        """How many there are of each finding or outcome."""
        return dict(self.values_list(column).annotate(n=Count("place")).order_by(column))

    def digest(self) -> str:
        """Equal while each line is found to be the same, beside the same decision."""
        found = self.order_by("place").values_list("place", "finding", "against_id")
        digest = hashlib.sha256()
        for line in found.iterator(chunk_size=5_000):
            digest.update(repr(line).encode())
        return digest.hexdigest()

    def to_land(self, *, takes_over: bool) -> IntakeLineQuerySet:
        """Those that would be decided, in the order of the list."""
        wanted = ["new", "contradicting"] if takes_over else ["new"]
        return self.filter(finding__in=wanted, outcome="").order_by("place")
