from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.aggregates import StringAgg
from django.db import models
from django.db.models import Count, Func, TextField

if TYPE_CHECKING:
    from cases.models import IntakeLine  # named in a string only

# The decision comes last: where there is none, nothing stands in its place.
_LINE = Func(
    "place",
    "finding",
    "against_id",
    template="concat_ws(' ', %(expressions)s)",
    output_field=TextField(),
)


class _Sha256(Func):
    template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
    output_field = TextField()


class IntakeLineQuerySet(models.QuerySet["IntakeLine"]):
    def counts(self, column: str) -> dict[str, int]:
        """How many there are of each finding or outcome."""
        return dict(self.values_list(column).annotate(n=Count("place")).order_by(column))

    def digest(self) -> str:
        """Equal while each line is found to be the same, beside the same decision."""
        return self.aggregate(digest=_Sha256(StringAgg(_LINE, "\n", order_by="place")))["digest"] or ""

    def to_land(self, *, takes_over: bool) -> IntakeLineQuerySet:
        """Those that would be decided, in the order of the list."""
        wanted = ["new", "contradicting"] if takes_over else ["new"]
        return self.filter(finding__in=wanted, outcome="").order_by("place")
