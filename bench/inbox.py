"""Measures the inbox with many cases.

    python bench/inbox.py [CASES] [DECISIONS]

Live cases (200) with 500 undecided values each, decisions in force (100,000), 50 proposals that wait, and
reviews due in every case. One client, warm, for each role that has an inbox. Prints milliseconds and the
number of queries. Runs in a PostgreSQL of its own in a temporary folder.
"""

# as in large_world.py

from __future__ import annotations

import logging
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.large_world import begin, servers

FOLDER = begin()

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cases.case_actions import FileText, add_case
from cases.models import Case
from footprint.accounts.models import Person, Role
from footprint.ledger.record import Actor, change

_VALUES = """
    INSERT INTO cases_casevalue (case_id, value, kind, domain, file_ids, verdict, is_open, endpoints,
        undecided, allowed, blocked, files, addresses, devices, devices_more, ports, ports_more, events,
        days, first_seen, last_seen, strip, strip_to, added_at, version)
    SELECT c.id, 'h' || n || '.c' || c.id || '.example', 'name', '', '{}', 'undecided', true, 1,
           1, 0, 0, 1, 1, 2, false, '{443}', false, 9, 1, now(), now(), '{}', now()::date,
           now() - n * interval '1 hour', 0
      FROM cases_case c, generate_series(1, 500) n
"""
_DECISIONS = """
    INSERT INTO cases_decision (verdict, subject_kind, subject, scope, file_kind, file_key, made_in_id,
        reason, state, proposer_id, made_at, expires_at, version)
    SELECT 'blocked', 'name', 'd' || n || '.example', 'everywhere', '', '', %(case)s, 'Seen',
           CASE WHEN n <= 50 THEN 'proposed' ELSE 'in force' END, %(person)s, now(),
           now() + n %% 700 * interval '1 day', 1
      FROM generate_series(1, %(count)s) n
"""
_PROPOSALS = """
    INSERT INTO cases_proposal (decision_id, kind, proposer_id, proposed_at, reason, why, judged_on, digest,
        state, ended_because)
    SELECT id, 'make', proposer_id, now(), 'Seen', '{}', '{}', 'x', 'waiting', '' FROM cases_decision
     WHERE state = 'proposed'
"""
_REVIEWS = """
    INSERT INTO cases_reviewdue (case_id, cause, file_id, value, what, raised_at)
    SELECT f.case_id, 'hash', f.id, '', md5(n::text), now() FROM cases_casefile f, generate_series(1, 3) n
    UNION ALL
    SELECT c.id, 'port', NULL, 'h' || n || '.c' || c.id || '.example', '8443', now()
      FROM cases_case c, generate_series(1, 50) n
"""


def fill(cases: int, decisions: int) -> None:
    owner = Person.objects.create(username="owner", first_name="Owner", role=Role.ANALYST)
    for number in range(cases):
        with change(actor=Actor.person(owner)) as ledger:
            files = [FileText("name", "a.exe", "a.exe")]
            add_case(ledger, owner=owner, title=f"Case {number}", why="", files=files)
    first = Case.objects.earliest("pk")
    with connection.cursor() as cursor:
        cursor.execute(_VALUES)
        cursor.execute(_DECISIONS, {"case": first.pk, "person": owner.pk, "count": decisions})
        cursor.execute(_PROPOSALS)
        cursor.execute(_REVIEWS)
        cursor.execute("VACUUM (ANALYZE)")


def measure(role: Role) -> None:
    client = Client()
    client.force_login(Person.objects.create(username=role.value, first_name=role.label, role=role))
    taken = []
    worked = time.process_time()
    for _ in range(60):
        began = time.perf_counter()
        answer = client.get("/", HTTP_HOST="localhost")
        taken.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"The inbox answered {answer.status_code}.")
    worked = (time.process_time() - worked) * 1000 / len(taken)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get("/", HTTP_HOST="localhost")
    warm = sorted(taken[10:])
    p95 = warm[int(len(warm) * 0.95)]
    in_queries = sum(float(each["time"]) for each in queries.captured_queries) * 1000
    print(
        f"{role.label:<10} p50 {statistics.median(warm):6.1f} ms  p95 {p95:6.1f} ms"
        f"  {len(queries)} queries, {in_queries:.0f} ms of them; {worked:.0f} ms of processor time here",
        flush=True,
    )
    for each in sorted(queries.captured_queries, key=lambda each: -float(each["time"]))[:3]:
        print(f"    {float(each['time']) * 1000:5.1f} ms  {' '.join(each['sql'].split())[:110]}")


def main() -> None:
    logging.disable(logging.INFO)
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    decisions = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with servers(FOLDER.name):
        fill(cases, decisions)
        for role in (Role.ANALYST, Role.REVIEWER, Role.LEAD):
            measure(role)


if __name__ == "__main__":
    main()
