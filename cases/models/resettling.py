from __future__ import annotations

from django.db import models

from cases.models.case import Case
from cases.models.endpoint import Endpoint


class Resettling(models.Model):
    """An endpoint that a decision reaches and that is yet to be judged anew: until then its verdict is old.

    No foreign keys in the database, as on the endpoints themselves.
    """

    endpoint = models.OneToOneField(
        Endpoint, primary_key=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    value = models.TextField(db_collation="C")

    class Meta:
        indexes = (models.Index(fields=["case", "value"], name="resettling_value"),)

    def __str__(self) -> str:
        return f"endpoint {self.endpoint_id}"
