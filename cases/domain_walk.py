"""The registered domains of a whole case and how many names each has, however many names one of them has."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from cases.models import Verdict

# Of one domain and verdict no more names are counted; more is "at least".
NAMES_COUNTED = 1_000

# From domain to domain along the index, past all names between: DISTINCT would read each of them.
_WALK = """
    WITH RECURSIVE walk AS (
        SELECT %(after)s::text COLLATE "C" AS domain, 0 AS found, false AS is_found
        UNION ALL
        SELECT next.domain, walk.found + next.is_found::int, next.is_found
          FROM walk CROSS JOIN LATERAL (
              SELECT v.domain,
                     NOT %(without_undecided)s OR NOT EXISTS (
                         SELECT FROM cases_casevalue u WHERE u.case_id = %(case)s
                            AND u.verdict = 'undecided' AND u.domain = v.domain) AS is_found
                FROM cases_casevalue v
               WHERE v.case_id = %(case)s AND v.verdict = %(verdict)s AND v.domain > walk.domain
               ORDER BY v.domain LIMIT 1) next
         WHERE walk.found < %(most)s
    )
    SELECT domain FROM walk WHERE is_found
"""
_COUNTS = """
    SELECT asked.domain, judged.verdict, counted.names, counted.last_seen
      FROM unnest(%(domains)s::text[]) asked(domain)
     CROSS JOIN unnest(%(verdicts)s::text[]) judged(verdict)
     CROSS JOIN LATERAL (
         SELECT count(*) AS names, max(few.last_seen) AS last_seen
           FROM (SELECT v.last_seen FROM cases_casevalue v
                  WHERE v.case_id = %(case)s AND v.verdict = judged.verdict
                    AND v.domain = asked.domain COLLATE "C" LIMIT %(most)s) few
     ) counted
     WHERE counted.names > 0
"""
# A domain with very many names has most often one among those of the case that were seen last.
_LAST_SEEN = """
    SELECT young.domain, judged.verdict, max(young.last_seen)
      FROM unnest(%(verdicts)s::text[]) judged(verdict)
     CROSS JOIN LATERAL (
         SELECT v.domain, v.last_seen FROM cases_casevalue v
          WHERE v.case_id = %(case)s AND v.verdict = judged.verdict
          ORDER BY v.last_seen DESC, v.id DESC LIMIT %(most)s) young
     WHERE young.domain = ANY(%(domains)s)
     GROUP BY young.domain, judged.verdict
"""


class DomainCount(NamedTuple):
    """`names` is at least where `is_cut`; then `last_seen` may be unknown."""

    domain: str
    verdict: str
    names: int
    last_seen: datetime | None
    is_cut: bool = False


def domains_after(
    case_id: int, verdict: str, after: str, at_most: int, *, without_undecided: bool = False
) -> list[str]:
    """The next domains that have a name of the verdict, by name."""
    asked: dict[str, Any] = {
        "case": case_id,
        "verdict": verdict,
        "after": after,
        "most": at_most,
        "without_undecided": without_undecided,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WALK, asked)
        return [domain for (domain,) in cursor.fetchall()]


def counts_of_domains(
    case_id: int, domains: Sequence[str], verdicts: Collection[str] = tuple(Verdict.values)
) -> list[DomainCount]:
    asked: dict[str, Any] = {
        "case": case_id,
        "domains": list(domains),
        "verdicts": list(verdicts),
        "most": NAMES_COUNTED + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, asked)
        found = [DomainCount(*each) for each in cursor.fetchall()]
        cut = {each.domain for each in found if each.names > NAMES_COUNTED}
        if not cut:
            return found
        cursor.execute(_LAST_SEEN, asked | {"domains": list(cut), "most": NAMES_COUNTED})
        seen = {(domain, verdict): last for domain, verdict, last in cursor.fetchall()}
    return [
        DomainCount(each.domain, each.verdict, NAMES_COUNTED, seen.get(each[:2]), is_cut=True)
        if each.names > NAMES_COUNTED
        else each
        for each in found
    ]
