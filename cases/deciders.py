"""Which decision gives a row of the queue its verdict: told by its endpoints, as settling left them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import connection

from cases.models import Case, CaseValue, Verdict

# Endpoints of one value that are looked at, whatever their verdict.
LOOKED_AT_MOST = 100

# An endpoint is blocked by its name or else by its address; otherwise its name governs, where it has one.
DECIDER = f"""
    SELECT by.decision
      FROM (
        SELECT e.verdict,
               CASE WHEN e.verdict = 'blocked' AND e.name_verdict <> 'blocked' THEN e.address_decision_id
                    WHEN e.verdict = 'blocked' OR e.dns <> '' THEN e.name_decision_id
                    ELSE e.address_decision_id END AS decision
          FROM cases_endpoint e
         WHERE e.value = {{value}} COLLATE "C" AND e.case_id = {{case}}
         LIMIT {LOOKED_AT_MOST}
      ) by
     WHERE by.verdict = {{verdict}} AND by.decision IS NOT NULL
     GROUP BY by.decision
     ORDER BY count(*) DESC, by.decision DESC
     LIMIT 1
"""  # noqa: S608  # constants

_OF_ASKED = DECIDER.format(value="asked.value", case="%(case)s", verdict="asked.verdict")
_DECIDED_BY = f"""
    SELECT asked.value, decider.decision
      FROM unnest(%(values)s::text[], %(verdicts)s::text[]) AS asked(value, verdict)
      CROSS JOIN LATERAL ({_OF_ASKED}) decider
"""  # noqa: S608  # constants


def deciders_of(case: Case, values: Sequence[CaseValue]) -> Mapping[str, int]:
    """By value, the id of the decision that gives it its verdict.

    Of the endpoints that are looked at it decides most of those which have the value's verdict. Where none of
    them has it, the value is left out.
    """
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
