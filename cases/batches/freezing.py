"""What a batch is on: taken from the queue by one statement, as it is at that moment."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from cases.batches.sql import BASIS
from cases.models import Batch
from cases.value_queryset import CaseValueQuerySet

# By value: whatever is written for them later then lies side by side in the indexes. A value of which an
# endpoint is still to be judged stands as undecided or with an old verdict: nobody has seen what it is.
_FREEZE = """
    WITH unsettled AS MATERIALIZED (
        SELECT value FROM cases_endpoint WHERE case_id = %s AND NOT settled
        UNION SELECT value FROM cases_resettling WHERE case_id = %s
    ), found AS MATERIALIZED (
        SELECT v.id, v.case_id, v.value, v.kind, v.verdict,
               v.value IN (SELECT value FROM unsettled) AS is_unsettled
          FROM ({values} LIMIT %s) AS v (id, case_id, value, kind, verdict)
    ), kept AS (
        INSERT INTO cases_batchvalue (batch_id, number, case_value_id, value, kind, verdict, basis)
        SELECT %s, row_number() OVER (ORDER BY v.value), v.id, v.value, v.kind, v.verdict, {basis}
          FROM found v WHERE NOT v.is_unsettled
        RETURNING number
    )
    SELECT (SELECT count(*) FROM kept), (SELECT count(*) FROM found WHERE is_unsettled)
"""


@dataclass(frozen=True, slots=True)
class Frozen:
    """`unsettled` values were left out."""

    values: int
    unsettled: int


def freeze(batch: Batch, values: CaseValueQuerySet, *, at_most: int) -> Frozen:
    """Keeps the values with the decisions in force on each, no more than `at_most` of them."""
    asked, parameters = (
        values.order_by().values_list("id", "case_id", "value", "kind", "verdict").query.sql_with_params()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _FREEZE.format(basis=BASIS, values=asked),
            [batch.case_id, batch.case_id, *parameters, at_most, batch.pk],
        )
        return Frozen(*cursor.fetchone())
