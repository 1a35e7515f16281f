"""What each line of an intake is beside the decisions in force: new, known or contradicting; set-based."""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from django.db import connection

from cases.models import Intake
from cases.verdicts.in_force import IN_FORCE

_IN_FORCE = f"{IN_FORCE} AND d.scope = 'everywhere'"
_OPPOSITE = f"{_IN_FORCE} AND d.verdict <> %(verdict)s"
# Equal keys wherever it can be: a name asks for each of its suffixes, an address or network for itself at
# each prefix in use; both can be hashed. What lies inside a line is asked for only where a line is wide.
_EXAMINE = f"""
    WITH looked AS MATERIALIZED (
        SELECT place, kind, subject, network FROM cases_intakeline
         WHERE intake_id = %(intake)s AND place BETWEEN %(first)s AND %(last)s
           AND finding IN ('new', 'known', 'contradicting')
    ), prefixes AS MATERIALIZED (
        SELECT DISTINCT family(d.network) AS family, masklen(d.network) AS length
          FROM cases_decision d WHERE d.state = 'in force' AND d.subject_kind = 'network'
    ), found AS (
        SELECT l.place, d.id, d.verdict, 0 AS how
          FROM looked l JOIN cases_decision d ON d.subject = l.subject AND d.subject_kind = l.kind
         WHERE {_IN_FORCE}
        UNION ALL
        SELECT l.place, d.id, d.verdict, 1
          FROM looked l
          CROSS JOIN LATERAL string_to_array(l.subject, '.') AS split(labels)
          CROSS JOIN LATERAL unnest(ARRAY(SELECT array_to_string(labels[n:], '.') COLLATE "C"
                                            FROM generate_subscripts(labels, 1) n)) AS suffix
          JOIN cases_decision d ON d.subject_kind = 'below' AND d.subject = suffix
         WHERE l.kind IN ('name', 'below') AND {_OPPOSITE}
        UNION ALL
        SELECT l.place, d.id, d.verdict, 1
          FROM looked l
          JOIN prefixes p ON p.family = family(l.network) AND p.length <= masklen(l.network)
          JOIN cases_decision d ON d.subject_kind = 'network'
                               AND d.network = set_masklen(l.network, p.length)
         WHERE l.network IS NOT NULL AND {_OPPOSITE}
        UNION ALL
        SELECT l.place, d.id, d.verdict, 2
          FROM cases_decision d
          CROSS JOIN LATERAL string_to_array(d.subject, '.') AS split(labels)
          CROSS JOIN LATERAL unnest(ARRAY(SELECT array_to_string(labels[n:], '.') COLLATE "C"
                                            FROM generate_subscripts(labels, 1) n)) AS suffix
          JOIN looked l ON l.kind = 'below' AND l.subject = suffix
         WHERE EXISTS (SELECT FROM looked WHERE kind = 'below')
           AND d.subject_kind IN ('name', 'below') AND {_OPPOSITE}
        UNION ALL
        SELECT l.place, d.id, d.verdict, 2
          FROM looked l
          JOIN cases_decision d
            ON d.network >= l.network AND d.network <<= l.network
           AND d.network <= set_masklen(broadcast(l.network),
                                        CASE family(l.network) WHEN 4 THEN 32 ELSE 128 END)::cidr
         WHERE l.kind = 'network' AND {_OPPOSITE}
    ), nearest AS (
        SELECT DISTINCT ON (place) place, id, verdict, how FROM found ORDER BY place, how, id
    ), judged AS (
        SELECT l.place, n.id AS against,
               CASE WHEN n.id IS NULL THEN 'new' WHEN n.verdict = %(verdict)s THEN 'known'
                    ELSE 'contradicting' END AS finding
          FROM looked l LEFT JOIN nearest n USING (place)
    )
    UPDATE cases_intakeline l SET finding = j.finding, against_id = j.against
      FROM judged j
     WHERE l.intake_id = %(intake)s AND l.place = j.place
       AND (l.finding, l.against_id) IS DISTINCT FROM (j.finding, j.against)
"""


def examine(intake: Intake, first: int = 1, last: int = 2_147_483_647) -> None:
    """Brings the findings of these places up to date."""
    asked: dict[str, str | int] = {"intake": intake.pk, "first": first, "last": last}
    asked["verdict"] = intake.verdict
    with connection.cursor() as cursor:
        cursor.execute(_EXAMINE, asked)
