"""Reviews fall due while rows are merged: what is new about files and values that are decided.

Everything is compared with what the case knew before the run began, so that the order of its slices
says nothing. docs/deciding.md has the rules, and what they cannot tell.
"""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from datetime import datetime

from django.db.backends.utils import CursorWrapper

from cases.models.endpoint import INBOUND

# With more of a kind than this, a file is seen anywhere and under anything: the next one tells nothing.
MOST_TRAITS = 500

# As in merging_sql.py: a plain number would make a young case count as empty.
_CASE = "(SELECT %(case)s::bigint)"

_IS_FIRST_RUN = """
    SELECT NOT EXISTS (SELECT 1 FROM cases_casevalue WHERE case_id = %(case)s AND added_at < %(since)s)
"""

# An empty text among the known says that some were left out. What is there already is not inserted again,
# so that merges beside each other seldom wait here.
LEARN_TRAITS = f"""
    WITH arrived AS (
        SELECT file_id, 'hash' AS kind, unnest(hashes) COLLATE "C" AS text FROM staged_endpoint
        UNION SELECT file_id, 'folder', unnest(folders) FROM staged_endpoint
        UNION SELECT file_id, 'hash', '' FROM staged_endpoint WHERE more @> '{{hashes}}'
        UNION SELECT file_id, 'folder', '' FROM staged_endpoint WHERE more @> '{{folders}}'
    ), kept AS MATERIALIZED (
        SELECT t.file_id, t.kind, t.text, coalesce(t.added_at < %(since)s, false) AS is_old
          FROM cases_filetrait t WHERE t.file_id IN (SELECT file_id FROM arrived)
    ), known AS (
        SELECT file_id, kind, text FROM kept WHERE is_old
    ), fresh AS (
        SELECT a.file_id, a.kind, a.text FROM arrived a
         WHERE NOT EXISTS (SELECT 1 FROM known k
                            WHERE k.file_id = a.file_id AND k.kind = a.kind AND k.text IN ('', a.text))
    ), learned AS (
        INSERT INTO cases_filetrait (file_id, kind, text, added_at)
        SELECT file_id, kind, text, now() FROM fresh f
         WHERE NOT EXISTS (SELECT 1 FROM kept k
                            WHERE k.file_id = f.file_id AND k.kind = f.kind AND k.text = f.text)
         ORDER BY file_id, kind, text
        ON CONFLICT DO NOTHING RETURNING file_id, kind
    ), full_of AS (
        INSERT INTO cases_filetrait (file_id, kind, text, added_at)
        SELECT l.file_id, l.kind, '', now() FROM learned l GROUP BY l.file_id, l.kind
        HAVING count(*) + (SELECT count(*) FROM kept k
                            WHERE k.file_id = l.file_id AND k.kind = l.kind) > {MOST_TRAITS}
        ON CONFLICT DO NOTHING
    ), decided AS MATERIALIZED (
        SELECT f.file_id FROM (SELECT DISTINCT file_id FROM fresh) f
         WHERE EXISTS (SELECT 1 FROM cases_casevalue v
                        WHERE v.case_id = {_CASE} AND v.file_ids @> ARRAY[f.file_id]
                          AND v.allowed + v.blocked > 0 AND v.added_at < %(since)s)
    )
    INSERT INTO cases_reviewdue (case_id, cause, file_id, value, what, raised_at)
    SELECT %(case)s, f.kind, f.file_id, '', f.text, now()
      FROM fresh f JOIN decided d ON d.file_id = f.file_id
     WHERE f.text <> '' AND EXISTS (SELECT 1 FROM known k WHERE k.file_id = f.file_id AND k.kind = f.kind)
     ORDER BY f.file_id, f.kind, f.text
    ON CONFLICT DO NOTHING
"""

_INBOUND = "ARRAY[" + ", ".join(f"'{action}'" for action in INBOUND) + "]"


def _goes_out(actions: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM unnest({actions}) action"
        " WHERE action NOT LIKE 'Inbound%%' AND action <> 'ListeningConnectionCreated')"
    )


# Runs before the endpoints are written: the ports of a value are those of earlier merges.
RAISE_OF_VALUES = f"""
    WITH decided AS MATERIALIZED (
        SELECT s.value, s.ports, s.actions, v.ports AS known_ports, v.ports_more
          FROM staged_endpoint s JOIN cases_casevalue v ON v.case_id = {_CASE} AND v.value = s.value
         WHERE v.allowed + v.blocked > 0 AND v.added_at < %(since)s
    ), inbound AS MATERIALIZED (
        SELECT DISTINCT e.value FROM cases_endpoint e
         WHERE e.case_id = {_CASE} AND e.actions && {_INBOUND}::text[]
    ), turned AS (
        SELECT DISTINCT d.value FROM decided d JOIN inbound i ON i.value = d.value
         WHERE {_goes_out("d.actions")}
    )
    INSERT INTO cases_reviewdue (case_id, cause, value, what, raised_at)
    SELECT %(case)s, cause, value, what, now() FROM (
        SELECT DISTINCT 'port' AS cause, d.value, port::text COLLATE "C" AS what
          FROM decided d CROSS JOIN LATERAL unnest(d.ports) port
         WHERE NOT d.ports_more AND d.known_ports <> '{{}}' AND NOT d.known_ports @> d.ports
           AND port <> ALL (d.known_ports)
        UNION ALL
        SELECT 'outbound', t.value, 'outbound' FROM turned t
         WHERE NOT EXISTS (SELECT 1 FROM cases_endpoint e
                            WHERE e.case_id = {_CASE} AND e.value = t.value
                              AND (e.more @> '{{actions}}' OR {_goes_out("e.actions")}))
    ) fresh
     ORDER BY cause, value, what
    ON CONFLICT DO NOTHING
"""


def raise_reviews(cursor: CursorWrapper, case_id: int, since: datetime | None) -> None:
    """Of what is staged, before it is merged. `since` is when the run began; without it none fall due."""
    given = {"case": case_id, "since": since}
    cursor.execute(LEARN_TRAITS, given)
    if since is None:
        return
    cursor.execute(_IS_FIRST_RUN, given)
    if not cursor.fetchone()[0]:
        cursor.execute(RAISE_OF_VALUES, given)
