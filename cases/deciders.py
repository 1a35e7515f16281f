"""Which decision gives a row of the queue its verdict: told by its endpoints, as settling left them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import connection

from cases.models import Case, CaseValue, Verdict

# Endpoints of one value that are looked at.
LOOKED_AT_MOST = 100

# An endpoint is blocked by its name or else by its address; otherwise its name governs, where it has one.
_DECIDED_BY = f"""
    SELECT DISTINCT ON (asked.value) asked.value, by.decision
      FROM unnest(%(values)s::text[], %(verdicts)s::text[]) AS asked(value, verdict)
      CROSS JOIN LATERAL (
        SELECT CASE WHEN e.verdict = 'blocked' AND e.name_verdict <> 'blocked' THEN e.address_decision_id
                    WHEN e.verdict = 'blocked' OR e.dns <> '' THEN e.name_decision_id
                    ELSE e.address_decision_id END AS decision
          FROM cases_endpoint e
         WHERE e.value = asked.value COLLATE "C" AND e.case_id = %(case)s AND e.verdict = asked.verdict
         LIMIT {LOOKED_AT_MOST}
      ) by
     WHERE by.decision IS NOT NULL
     GROUP BY asked.value, by.decision
     ORDER BY asked.value, count(*) DESC, by.decision DESC
"""  # noqa: S608  # constants


def deciders_of(case: Case, values: Sequence[CaseValue]) -> Mapping[str, int]:
    """By value, the id of the decision that decides most of the endpoints which have the value's verdict."""
    decided = [each for each in values if each.verdict != Verdict.UNDECIDED]
    if not decided:
        return {}
    asked: dict[str, int | list[str]] = {
        "values": [each.value for each in decided],
        "verdicts": [each.verdict for each in decided],
        "case": case.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DECIDED_BY, asked)
        return dict(cursor.fetchall())
