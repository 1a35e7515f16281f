"""How many values a case has, by verdict, without counting them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from cases.models import Verdict

# So many changes of one case are read in no time; more are summed up.
_CHANGES_KEPT = 100

_COUNTS = """
    SELECT case_id, verdict, sum(change)::bigint FROM cases_valuecount
     WHERE case_id = ANY(%s) GROUP BY case_id, verdict
"""
# Each change is deleted by one statement only, and readers see the changes or their sum, never neither.
_SUM_UP = """
    WITH many AS (
        SELECT case_id FROM cases_valuecount GROUP BY case_id HAVING count(*) > %s
    ), gone AS (
        DELETE FROM cases_valuecount c USING many WHERE c.case_id = many.case_id
        RETURNING c.case_id, c.verdict, c.change
    )
    INSERT INTO cases_valuecount (case_id, verdict, change)
    SELECT case_id, verdict, sum(change) FROM gone GROUP BY case_id, verdict
"""


@dataclass(frozen=True, slots=True)
class ValuesOfCase:
    undecided: int = 0
    allowed: int = 0
    blocked: int = 0

    @property
    def everything(self) -> int:
        return self.undecided + self.allowed + self.blocked

    def of(self, verdict: str) -> int:
        return {
            Verdict.UNDECIDED: self.undecided,
            Verdict.ALLOWED: self.allowed,
            Verdict.BLOCKED: self.blocked,
        }[Verdict(verdict)]


def count_values(case_id: int) -> ValuesOfCase:
    return count_values_of([case_id])[case_id]


def count_values_of(case_ids: Iterable[int]) -> dict[int, ValuesOfCase]:
    """By case, in one query."""
    ids = list(case_ids)
    sums: dict[int, dict[str, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [ids])
        for case_id, verdict, total in cursor.fetchall():
            sums[case_id][verdict] = total
    return {case_id: ValuesOfCase(**sums[case_id]) for case_id in ids}


def sum_up_counts() -> None:
    """Keeps the changes few; the numbers stay what they are."""
    with connection.cursor() as cursor:
        cursor.execute(_SUM_UP, [_CHANGES_KEPT])
