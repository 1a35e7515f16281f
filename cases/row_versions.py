"""What the rows of a queue stand at, in one query: asked every few seconds by everyone who looks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection

from cases.deciders import DECIDER
from cases.models import Case
from cases.waiting import proposals_on, wide_sum

# What is put off is asked for between and in order, so that its index is walked, as in settling.
_STANDING = f"""
    SELECT c.state,
           (SELECT coalesce(sum(n.change), 0) FROM cases_valuecount n WHERE n.case_id = c.id),
           EXISTS (SELECT FROM cases_decision d
                    WHERE d.state = 'proposed' AND d.subject_kind IN ('below', 'network')),
           v.id, v.value, v.version,
           (SELECT coalesce(sum(d.id), 0) FROM cases_decision d
             WHERE d.subject = v.value AND d.subject_kind IN ('name', 'address', 'text')
               AND d.state IN ('in force', 'proposed')),
           EXISTS (SELECT FROM cases_endpoint e
                    WHERE e.case_id = v.case_id AND e.value = v.value AND NOT e.settled)
             OR (SELECT true FROM cases_resettling r
                  WHERE r.case_id = v.case_id AND r.value BETWEEN v.value AND v.value
                  ORDER BY r.value LIMIT 1) IS NOT NULL,
           CASE WHEN v.verdict <> 'undecided'
                THEN ({DECIDER.format(value="v.value", case="v.case_id", verdict="v.verdict")}) END
      FROM cases_case c LEFT JOIN cases_casevalue v ON v.case_id = c.id AND v.id = ANY(%s)
     WHERE c.id = %s
     ORDER BY v.id
"""  # noqa: S608  # constants


@dataclass(frozen=True, slots=True)
class Standing:
    """`values` is how many the case has, `rows` the version of each row asked for."""

    is_live: bool
    values: int
    rows: dict[int, str]


def row_version(version: int, decisions: int, *, is_settling: bool, decider: int | None) -> str:
    """`decisions` is a sum of ids: of what is in force or proposed on exactly this value, anywhere, and of
    what is proposed around it and reaches the case."""
    return f"{version}.{decisions}.{decider or 0}{'s' if is_settling else ''}"


def standing_of(case_id: int, row_ids: Collection[int]) -> Standing | None:
    """None when there is no such case."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [list(row_ids), case_id])
        found = cursor.fetchall()
    if not found:
        return None
    is_any_wide = found[0][2]
    wide = _wide_proposed(case_id, [row[4] for row in found if row[3] is not None]) if is_any_wide else {}
    rows = {
        pk: row_version(version, decisions + wide.get(value, 0), is_settling=is_settling, decider=decider)
        for _, _, _, pk, value, version, decisions, is_settling, decider in found
        if pk is not None
    }
    return Standing(found[0][0] in Case.LIVE, int(found[0][1]), rows)


def _wide_proposed(case_id: int, values: Sequence[str]) -> dict[str, int]:
    return {value: wide_sum(proposals) for value, proposals in proposals_on(Case(pk=case_id), values).items()}
