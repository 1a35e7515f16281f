"""What a batch is on: taken from the queue by one statement, as it is at that moment."""

from __future__ import annotations

from django.db import connection

from cases.batches.sql import BASIS
from cases.models import Batch
from cases.value_queryset import CaseValueQuerySet

# By value: whatever is written for them later then lies side by side in the indexes.
_FREEZE = """
    INSERT INTO cases_batchvalue (batch_id, number, case_value_id, value, kind, verdict, basis)
    SELECT %s, row_number() OVER (ORDER BY v.value), v.id, v.value, v.kind, v.verdict, {basis}
      FROM ({values}) AS v (id, case_id, value, kind, verdict)
"""


def freeze(batch: Batch, values: CaseValueQuerySet) -> int:
    """Keeps the values with the decisions in force on each, and returns how many they are."""
    asked, parameters = (
        values.order_by().values_list("id", "case_id", "value", "kind", "verdict").query.sql_with_params()
    )
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE.format(basis=BASIS, values=asked), [batch.pk, *parameters])
        count: int = cursor.rowcount
        return count
