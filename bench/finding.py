"""Measures the pages that look across cases: all decisions, one decision, and the search.

    python bench/finding.py [ENDPOINTS] [DECISIONS] [ROUNDS]

One case has a third of the endpoints, 199 others share the rest; three quarters have a name, five endpoints
share one. One client, warm. Runs in a PostgreSQL of its own in a temporary folder, or in the folder that
BENCH_FOLDER names, which is kept and built once. Prints milliseconds.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))
KEPT = os.environ.get("BENCH_FOLDER")
FOLDER = tempfile.TemporaryDirectory(prefix="footprint-bench-")
os.environ["FOOTPRINT_DATA"] = KEPT or FOLDER.name
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "footprint.settings")

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from cases.case_actions import FileText, add_case
from cases.models import Decision
from footprint.accounts.models import Person, Role
from footprint.embedded import Hold, Home
from footprint.ledger.record import Actor, change

CASES = 200

ENDPOINTS = """
    INSERT INTO cases_endpoint (case_id, file_id, key, ip, dns, value, value_kind, raw_ips, raw_names,
                                first_seen, last_seen, devices, ports, actions, accounts, hashes, folders,
                                publishers, parents, command_lines, more, settled, name_verdict,
                                address_verdict, verdict)
    SELECT c.id, f.id, gen_random_uuid(), ip, dns,
           coalesce(nullif(dns, ''), host(ip)),
           CASE WHEN dns = '' THEN 'address' ELSE 'name' END,
           '{}', '{}', now(), now(), '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', true,
           'undecided', 'undecided', 'undecided'
      FROM (
        SELECT n, CASE WHEN n % 3 = 0 THEN 0 ELSE 1 + n % %(others)s END AS place,
               '11.0.0.0'::inet + (n * 7 % 16000000) AS ip,
               CASE WHEN n % 4 = 0 THEN '' ELSE
                    'h' || n / 5 || '.s' || n % 977 || '.zone' || n % 4999 || '.example' END AS dns
          FROM generate_series(1, %(count)s) AS n
      ) made
      JOIN LATERAL (SELECT id FROM cases_case ORDER BY id OFFSET place LIMIT 1) c ON true
      JOIN cases_casefile f ON f.case_id = c.id
"""
VALUES = """
    INSERT INTO cases_casevalue (case_id, value, kind, verdict, is_open, endpoints, undecided, allowed,
                                 blocked, files, addresses, devices, devices_more, ports, ports_more, events,
                                 days,
                                 first_seen, last_seen, strip, strip_to, added_at, version,
                                 domain, file_ids)
    SELECT case_id, value, max(value_kind), 'undecided', true, count(*), count(*), 0, 0, 1, 1, 1, false, '{}',
           false, 1, 1, now(), now(), '{}', current_date, now(), 0,
           CASE WHEN max(value_kind) = 'name' THEN 'zone' || hashtext(value) % 4999 || '.example' ELSE '' END,
           array_agg(DISTINCT file_id)
      FROM cases_endpoint GROUP BY case_id, value
"""
DECISIONS = """
    INSERT INTO cases_decision (verdict, subject_kind, subject, network, scope, file_kind, file_key,
                                reason, state, proposer_id, made_at, expires_at, version)
    SELECT CASE WHEN n % 5 = 0 THEN 'allowed' ELSE 'blocked' END, kind,
           CASE kind WHEN 'name' THEN 'h' || n || '.s' || n * 5 % 977 || '.bad' || n || '.example'
                     WHEN 'below' THEN 'bad' || n || '.example'
                     WHEN 'address' THEN host('12.0.0.0'::inet + n)
                     ELSE network(set_masklen('13.0.0.0'::inet + n * 256, 24))::text END,
           CASE kind WHEN 'address' THEN set_masklen(('12.0.0.0'::inet + n)::cidr, 32)
                     WHEN 'network' THEN network(set_masklen('13.0.0.0'::inet + n * 256, 24)) END,
           'everywhere', '', '', 'Hoster of relay network number ' || n, 'in force', %(person)s,
           now() - n * interval '1 minute',
           CASE WHEN n % 4 = 0 THEN now() + n * interval '1 hour' END, 1
      FROM (SELECT n, (ARRAY['name', 'name', 'address', 'below', 'network'])[1 + n % 5] AS kind
              FROM generate_series(1, %(count)s) AS n) made
"""


def build(endpoints: int, decisions: int) -> Person:
    lea = Person.objects.create(username="lea", role=Role.LEAD)
    for number in range(CASES):
        with change(actor=Actor.person(lea)) as ledger:
            file = FileText("name", f"tool{number}.exe", f"tool{number}.exe")
            add_case(ledger, owner=lea, title=f"Case of tool {number}", why="", files=[file])
    with connection.cursor() as cursor:
        for statement, given in (
            (ENDPOINTS, {"count": endpoints, "others": CASES - 1}),
            (VALUES, {}),
            (DECISIONS, {"count": decisions, "person": lea.pk}),
            ("VACUUM ANALYZE", {}),
        ):
            start = time.perf_counter()
            for name, value in given.items():
                statement = statement.replace(f"%({name})s", str(value))
            cursor.execute(statement)
            print(f"  {' '.join(statement.split()[:3])} in {time.perf_counter() - start:.0f} s", flush=True)
    return lea


def paths() -> dict[str, str]:
    wide, _ = Decision.objects.get_or_create(
        subject="11.0.0.0/8", subject_kind="network", network="11.0.0.0/8", scope="everywhere",
        verdict="allowed",
        defaults={"reason": "All", "state": "in force", "proposer": Person.objects.get(),
                  "made_at": "2026-11-24T12:00Z"},
    )  # fmt: skip
    middle = Decision.objects.filter(subject_kind="name").order_by("pk")[20_000:20_001].get().pk
    return {
        "decisions, first page": "/decisions/",
        "decisions, page in the middle": f"/decisions/?after={middle}",
        "decisions, by subject": "/decisions/?sort=subject",
        "decisions, by subject, middle": f"/decisions/?sort=subject&after={middle}",
        "decisions, expiring": "/decisions/?state=expiring",
        "decisions, allowed networks": "/decisions/?verdict=allowed&kind=network",
        "decisions, texts (none)": "/decisions/?kind=text",
        "decisions, address in a network": "/decisions/?q=13.0.44.9",
        "decisions, name below a star": "/decisions/?q=deep.bad4003.example",
        "decisions, text found nowhere": "/decisions/?q=nothing-like-it",
        "decisions, text found often": "/decisions/?q=bad",
        "decision on a network of all": f"/decisions/{wide.pk}/",
        "decision on a name": f"/decisions/{middle}/",
        **{f"search {q}": f"/search/?q={q}" for q in SEARCHES},
    }


SEARCHES = (
    "h", "h40", "h4000.s0.zone4001.example", "zone4998.example", "example", "11.0.44.9", "11.0.",
    "11.0.0.0/16", "13.0.44.9", "hxxps://h4000[.]bad4000[.]example/a?b", "tool19", "17",
    "nothing-like-it", "%",
)  # fmt: skip


def main() -> None:
    given = [int(text) for text in sys.argv[1:]]
    endpoints, decisions, rounds = (given + [3_000_000, 100_000, 15][len(given) :])[:3]
    with Hold(Home(Path(os.environ["FOOTPRINT_DATA"])), durable=False):
        call_command("migrate", verbosity=0)
        lea = Person.objects.first() or build(endpoints, decisions)
        settings.ALLOWED_HOSTS = ["testserver"]
        client = Client()
        client.force_login(lea)
        print(f"{endpoints:,} endpoints, {decisions:,} decisions; p50 and p95 of {rounds} in ms")
        for name, path in paths().items():
            measure(client, name, path, rounds)


def measure(client: Client, name: str, path: str, rounds: int) -> None:
    seconds = []
    for _ in range(rounds + 2):
        start = time.perf_counter()
        answer = client.get(path)
        seconds.append(time.perf_counter() - start)
    taken = sorted(seconds[2:])
    slowest = taken[min(len(taken) - 1, round(len(taken) * 0.95))]
    print(
        f"{statistics.median(taken) * 1000:8.1f} {slowest * 1000:8.1f}  {answer.status_code}  {name}",
        flush=True,
    )


if __name__ == "__main__":
    main()
