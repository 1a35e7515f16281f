"""The statements behind a preview: settle.py's rules, read only. Each of its numbers is a row."""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from cases.verdicts.in_force import IN_FORCE
from cases.verdicts.overriding import OVERRIDDEN
from cases.verdicts.settle import JUDGED, rank_of

_WOULD_BE = """
    unnest(%(numbers)s::int[], %(verdicts)s::text[], %(kinds)s::text[], %(subjects)s::text[],
           %(networks)s::cidr[], %(scopes)s::text[], %(cases)s::bigint[], %(file_kinds)s::text[],
           %(file_keys)s::text[], %(ranks)s::bigint[])
        AS w(n, verdict, kind, subject, network, scope, case_id, file_kind, file_key, rank)
"""
# The same ways in as those of settle.py, for many decisions at once. Between its first and its last
# address a network is found through the index also where it is no constant.
_BITS = "CASE family(w.network) WHEN 4 THEN 32 ELSE 128 END"
_FIRST = f"set_masklen(w.network::inet, {_BITS})"
_LAST = f"set_masklen(broadcast(w.network), {_BITS})"
_WITHIN = f"({{at}} >= {_FIRST} AND {{at}} <= {_LAST})"
_ON_ADDRESS, _ON_NAME = _WITHIN.format(at="e.ip"), _WITHIN.format(at="e.dns_ip")
_SEEN = """
    w.n, e.id, e.case_id, e.file_id, e.value, e.dns <> '' AS named, e.verdict AS before, e.name_verdict,
    e.address_verdict, e.name_decision_id, e.address_decision_id, e.settled
"""
# No endpoint twice: what both sides of an endpoint reach is found by its address. So nothing is grouped and
# looked up again, which for a network of a million endpoints took most of the time.
_COVERED = f"""
    SELECT {_SEEN}, true AS on_name, false AS on_address FROM would_be w
      JOIN cases_endpoint e ON e.value = w.subject COLLATE "C" AND e.value_kind = w.kind
     WHERE w.kind IN ('name', 'text')
    UNION ALL
    SELECT {_SEEN}, true, false FROM would_be w
      JOIN cases_endpoint e ON e.value = w.subject COLLATE "C" AND e.value_kind = 'name'
     WHERE w.kind = 'below'
    UNION ALL
    SELECT {_SEEN}, true, false FROM would_be w
      JOIN cases_casevalue v ON v.kind = 'name'
       AND reverse(v.value) >= (reverse(w.subject) || '.') COLLATE "C"
       AND reverse(v.value) < (reverse(w.subject) || '/') COLLATE "C"
      JOIN cases_endpoint e ON e.value = v.value AND e.case_id = v.case_id AND e.value_kind = 'name'
     WHERE w.kind = 'below'
    UNION ALL
    SELECT {_SEEN}, coalesce(e.dns_ip = w.network::inet, false), true
      FROM would_be w JOIN cases_endpoint e ON e.ip = w.network::inet
     WHERE w.kind = 'address'
    UNION ALL
    SELECT {_SEEN}, true, false FROM would_be w JOIN cases_endpoint e ON e.dns_ip = w.network::inet
     WHERE w.kind = 'address' AND e.ip IS DISTINCT FROM w.network::inet
    UNION ALL
    SELECT {_SEEN}, coalesce({_ON_NAME}, false), true FROM would_be w JOIN cases_endpoint e ON {_ON_ADDRESS}
     WHERE w.kind = 'network'
    UNION ALL
    SELECT {_SEEN}, true, false FROM would_be w JOIN cases_endpoint e ON {_ON_NAME}
     WHERE w.kind = 'network' AND {_ON_ADDRESS} IS NOT TRUE
"""
# A row tells an old verdict until it is settled for the first time, while its settling is put off, and while
# what governs it is past its time. The unsettled are asked for in order, so that their index is walked.
_PAST = "d.state = 'in force' AND d.expires_at <= statement_timestamp()"
ANY_OLD = f"""
    SELECT EXISTS (SELECT FROM cases_resettling) OR EXISTS (SELECT FROM cases_decision d WHERE {_PAST})
        OR (SELECT true FROM cases_endpoint e WHERE NOT e.settled
             ORDER BY e.case_id, e.value LIMIT 1) IS NOT NULL
"""
_ASKED = f"would_be AS MATERIALIZED (SELECT * FROM {_WOULD_BE}), covered AS ({_COVERED})"
_OLD = """
      FROM covered c JOIN would_be w ON w.n = c.n
     WHERE (w.case_id IS NULL OR w.case_id = c.case_id)
       AND (NOT c.settled OR c.id IN (SELECT endpoint_id FROM cases_resettling)
            OR c.name_decision_id IN (SELECT id FROM past) OR c.address_decision_id IN (SELECT id FROM past))
"""
_WITH_PAST = f"WITH {_ASKED}, past AS MATERIALIZED (SELECT d.id FROM cases_decision d WHERE {_PAST})"
OLD = f"{_WITH_PAST} SELECT DISTINCT c.id {_OLD} LIMIT %(most)s"
# Which rulings cover any of them.
OF_OLD = f"{_WITH_PAST} SELECT DISTINCT c.n {_OLD}"
# Endpoints `c` as they are now: those that were judged anew stand in for what their rows tell.
_NOW = """
    SELECT c.n, c.id, c.case_id, c.file_id, c.value, c.named, c.on_name, c.on_address,
           coalesce(j.verdict, c.before) AS before, coalesce(j.name_verdict, c.name_verdict) AS name_verdict,
           coalesce(j.address_verdict, c.address_verdict) AS address_verdict,
           CASE WHEN j.id IS NULL THEN c.name_decision_id ELSE j.name_decision END AS name_decision_id,
           CASE WHEN j.id IS NULL THEN c.address_decision_id ELSE j.address_decision END
               AS address_decision_id
      FROM covered c LEFT JOIN judged j ON j.id = c.id
"""
_MOVED = f"""
    taking AS (
        SELECT c.*, w.verdict,
               c.on_name AND (by_name.id IS NULL OR w.rank >= {rank_of("by_name")}) AS takes_name,
               c.on_address AND (by_address.id IS NULL OR w.rank >= {rank_of("by_address")})
                   AS takes_address,
               concat_ws(' ', by_name.id, by_name.version) AS by_name,
               concat_ws(' ', by_address.id, by_address.version) AS by_address
          FROM {{now}} c
          JOIN would_be w ON w.n = c.n
          JOIN cases_casefile f ON f.id = c.file_id
          LEFT JOIN cases_decision by_name ON by_name.id = c.name_decision_id
          LEFT JOIN cases_decision by_address ON by_address.id = c.address_decision_id
         WHERE w.scope = 'everywhere' OR w.case_id = c.case_id
            OR (w.scope = 'file' AND w.file_kind = f.kind AND w.file_key = f.key)
    ), taken AS (
        SELECT s.*, CASE WHEN 'blocked' IN (t.name_verdict, t.address_verdict) THEN 'blocked'
                         WHEN s.named THEN t.name_verdict ELSE t.address_verdict END AS after
          FROM taking s
          CROSS JOIN LATERAL (
            SELECT CASE WHEN s.takes_name THEN s.verdict ELSE s.name_verdict END AS name_verdict,
                   CASE WHEN s.takes_address THEN s.verdict ELSE s.address_verdict END AS address_verdict
          ) t
         WHERE s.takes_name OR s.takes_address
    ), grouped AS MATERIALIZED (
        -- A verdict that stays counts only as that: in a batch the names on a proposed address are decided
        -- after it was proposed.
        SELECT n, case_id, file_id, value, before, after, count(*) AS endpoints,
               sum(hashtextextended(
                   concat_ws(',', id, CASE WHEN before <> after THEN concat_ws(' ', before, after) END, '/',
                             CASE WHEN takes_name THEN by_name END, '/',
                             CASE WHEN takes_address THEN by_address END), 0)) AS standing
          FROM taken GROUP BY n, case_id, file_id, value, before, after
    )
"""
# What the numbers stand on, whether a verdict changes by it or not: the endpoints that the decision would
# govern with what governs them now, the decision whose place it takes, and those that it overrides.
_STANDING = f"""
    UNION ALL
    SELECT w.n, 'replaces', NULL, NULL, concat_ws(' ', d.id, d.version), NULL, NULL, 1
      FROM would_be w
      JOIN cases_decision d
        ON {IN_FORCE} AND d.subject = w.subject COLLATE "C" AND d.subject_kind = w.kind
       AND d.scope = w.scope AND d.case_id IS NOT DISTINCT FROM w.case_id
       AND d.file_kind = w.file_kind AND d.file_key = w.file_key COLLATE "C"
    UNION ALL
    SELECT n, 'overrides', NULL, NULL, sum(hashtextextended(concat_ws(' ', id, version), 0))::text,
           NULL, NULL, count(*)
      FROM ({OVERRIDDEN}) overridden GROUP BY n
"""
# Of rows `grouped`, so many endpoints of one value of a file whose verdict becomes another or stays.
_COUNTED = """
    SELECT n, 'move', case_id, file_id, NULL, before, after, sum(endpoints)::bigint FROM grouped
     WHERE before <> after GROUP BY n, case_id, file_id, before, after
    UNION ALL
    SELECT n, 'values', NULL, NULL, NULL, NULL, NULL, count(*)
      FROM (SELECT DISTINCT n, case_id, value FROM grouped WHERE before <> after) each_once GROUP BY n
    UNION ALL
    (SELECT n, 'row', case_id, NULL, value, before, after, sum(endpoints)::bigint FROM grouped
      WHERE before <> after GROUP BY n, case_id, value, before, after
      ORDER BY sum(endpoints) DESC, value, case_id LIMIT %(rows)s)
    UNION ALL
    SELECT n, 'governs', NULL, NULL, sum(standing)::text, NULL, NULL, sum(endpoints)::bigint
      FROM grouped GROUP BY n
"""
ENDING = f"""
    {JUDGED}, grouped AS MATERIALIZED (
        SELECT 0 AS n, case_id, file_id, value, verdict_before AS before, verdict AS after,
               count(*) AS endpoints,
               sum(hashtextextended(concat_ws(',', id, verdict_before, verdict, coalesce(name_decision, 0),
                                              coalesce(address_decision, 0)), 0)) AS standing
          FROM judged GROUP BY case_id, file_id, value, verdict_before, verdict
    )
    {_COUNTED}
    UNION ALL
    SELECT 0, 'ends', NULL, NULL, concat_ws(' ', id, version), NULL, NULL, 1
      FROM cases_decision WHERE id = %(without)s
"""
MAKING = f"WITH {_ASKED}, {_MOVED.format(now='covered')}{_COUNTED}{_STANDING}"
MAKING_ANEW = f"{JUDGED}, {_ASKED}, {_MOVED.format(now=f'({_NOW})')}{_COUNTED}{_STANDING}"
