"""A large world for measuring, made by the database itself: one great case beside others, and decisions.

Whoever imports this first calls `begin()`, before anything of Django.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent


def begin() -> tempfile.TemporaryDirectory[str]:
    """Points Django at a data directory of its own and sets it up."""
    sys.path.insert(0, str(HERE))
    folder = tempfile.TemporaryDirectory(prefix="footprint-bench-")
    os.environ["FOOTPRINT_DATA"] = folder.name
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "footprint.settings")
    import django  # the environment comes first

    django.setup()
    return folder


@dataclass(frozen=True)
class Size:
    """`endpoints` in the great case, `others` in twenty cases together, `decisions` in force."""

    endpoints: int = 1_000_000
    others: int = 2_000_000
    decisions: int = 100_000


@contextmanager
def servers(folder: str) -> Iterator[None]:
    """A PostgreSQL with durable writes, migrated and empty."""
    from django.core.management import call_command  # as above
    from django.db import connection  # as above

    from footprint.embedded import Hold, Home  # as above

    with Hold(Home(Path(folder)), valkey=False):
        call_command("migrate", verbosity=0)
        yield
        connection.close()


# Of four endpoints three have a name, and three endpoints share one. A tenth of the names of the great case
# is in one other case too.
_ENDPOINTS = """
    INSERT INTO cases_endpoint (case_id, file_id, key, ip, dns, value, value_kind, raw_ips, raw_names,
        first_seen, last_seen, devices, ports, actions, accounts, hashes, folders, publishers, parents,
        command_lines, more, settled, name_verdict, address_verdict, verdict)
    SELECT %(case)s, %(file)s, md5(%(file)s || '-' || n)::uuid, ip, name,
           coalesce(nullif(name, ''), host(ip)),
           CASE WHEN name = '' THEN 'address' ELSE 'name' END, ARRAY[host(ip)], ARRAY[name],
           seen, seen + interval '3 hours', ARRAY['lis-w-' || n %% 400, 'lis-w-' || n %% 399],
           ARRAY[80, 443], '{ConnectionSuccess}', '{ana}', ARRAY[md5((n %% 7)::text)],
           '{c:\\program files\\vendor\\app}', '{Contoso Ltd}', '{services.exe}',
           ARRAY['"c:\\program files\\vendor\\app\\a.exe" --profile ' || n %% 5], '{}', true,
           'undecided', 'undecided', 'undecided'
      FROM (SELECT n, '10.0.0.0'::inet + (%(first)s + n) AS ip,
                   CASE WHEN n %% 4 = 0 THEN ''
                        WHEN n / 4 %% 10 = 0 AND %(is_shared)s THEN 'h' || n / 4 || '.shared.example'
                        ELSE 'h' || n / 4 || '.s' || n / 4 %% 50 || '.c' || %(case)s || '.example'
                    END AS name,
                   timestamptz '2026-11-20 12:00Z' - n %% 20000 * interval '1 minute' AS seen
              FROM generate_series(0, %(count)s - 1) n) made
"""
_SIGHTINGS = """
    INSERT INTO cases_sighting (endpoint_id, source, day, events, active_hours, devices,
                                first_seen, last_seen)
    SELECT id, 'local', (first_seen AT TIME ZONE 'UTC')::date, id % 97 + 1, id % 9 + 1, 2,
           first_seen, last_seen
      FROM cases_endpoint ORDER BY id
"""
_VALUES = """
    INSERT INTO cases_casevalue (case_id, value, kind, domain, file_ids, verdict, is_open, endpoints,
        undecided, allowed, blocked, files, addresses, devices, devices_more, ports, ports_more, events,
        days, first_seen, last_seen, strip, strip_to, added_at, version)
    SELECT case_id, value, min(value_kind),
           coalesce(substring(min(value) FROM '[^.]+[.]example$'), ''), array_agg(DISTINCT file_id),
           'undecided', true, count(*), count(*), 0, 0, 1, count(ip), 2,
           false, '{80,443}', false, sum(id % 97 + 1), count(DISTINCT first_seen::date), min(first_seen),
           max(last_seen), array_fill(7::bigint, ARRAY[30]), max(last_seen)::date, now(), 0
      FROM cases_endpoint GROUP BY case_id, value ORDER BY case_id, value
"""
# Half of them on values of the great case, a tenth of them in that case alone, a few on names below and
# on networks.
_DECISIONS = """
    INSERT INTO cases_decision (verdict, subject_kind, subject, network, scope, case_id, file_kind, file_key,
        made_in_id, reason, state, proposer_id, made_at, version)
    SELECT CASE WHEN n % 3 = 0 THEN 'allowed' ELSE 'blocked' END, kind, subject,
           CASE WHEN kind = 'network' THEN subject::cidr END,
           CASE WHEN n % 10 = 0 THEN 'case' ELSE 'everywhere' END, CASE WHEN n % 10 = 0 THEN %(case)s END,
           '', '', %(case)s, 'Seen in the beacon report', 'in force', %(person)s, now(), 1
      FROM (SELECT n, CASE WHEN n % 500 = 1 THEN 'network' WHEN n % 50 = 3 THEN 'below' ELSE 'name'
                       END AS kind,
                   CASE WHEN n % 500 = 1 THEN host('172.16.0.0'::inet + n / 500 * 256) || '/24'
                        WHEN n % 50 = 3 THEN 'below' || n || '.example'
                        WHEN n % 2 = 0
                        THEN 'h' || n * 2 || '.s' || n * 2 % 50 || '.c' || %(case)s || '.example'
                        ELSE 'never' || n || '.example' END AS subject
              FROM generate_series(0, %(count)s - 1) n) made
"""


_INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
      FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
     WHERE c.oid IS NULL AND i.indrelid IN ('cases_endpoint'::regclass, 'cases_casevalue'::regclass)
"""


def _without_indexes(cursor: Any) -> list[str]:
    """Made afterwards they take a fraction of the time. Returns the statements that make them."""
    cursor.execute("SET maintenance_work_mem = '512MB'")
    cursor.execute(_INDEXES)
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [made for _, made in found]


def fill(size: Size) -> int:
    """Makes the world; returns the number of the great case."""
    from django.db import connection  # as above

    from cases.case_actions import FileText, add_case  # as above
    from cases.models import Case, Decision  # as above
    from cases.settling import resettle_exactly, settle_waiting  # as above
    from footprint.accounts.models import Person, Role  # as above
    from footprint.ledger.record import Actor, change  # as above

    began = time.perf_counter()
    owner = Person.objects.create(username="bench", first_name="Bench", role=Role.LEAD)

    def open_case(title: str) -> Case:
        with change(actor=Actor.person(owner)) as ledger:
            files = [FileText("name", "a.exe", "a.exe")]
            return add_case(ledger, owner=owner, title=title, why="", files=files)

    sizes = [size.endpoints, *[size.others // 20] * 20]
    cases = [open_case(f"Case of {count:,}") for count in sizes]
    first = 0
    with connection.cursor() as cursor:
        indexes = _without_indexes(cursor)
        for case, count in zip(cases, sizes, strict=True):
            of_case = {"case": case.pk, "file": case.files.get().pk, "first": first, "count": count}
            of_case["is_shared"] = case in cases[:2]
            cursor.execute(_ENDPOINTS, of_case)
            first += count
        cursor.execute(_SIGHTINGS)
        cursor.execute(_VALUES)
        of_decisions = {"case": cases[0].pk, "person": owner.pk, "count": size.decisions}
        cursor.execute(_DECISIONS.replace("% ", "%% "), of_decisions)
        for index in indexes:
            cursor.execute(index)
        cursor.execute("ANALYZE")
    names = Decision.objects.filter(subject_kind="name").values_list("subject_kind", "subject")
    resettle_exactly(list(names), case_id=None)
    settle_waiting()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
    seconds = time.perf_counter() - began
    print(f"made {sum(sizes):,} endpoints and {size.decisions:,} decisions in {seconds:.0f} s", flush=True)
    return cases[0].pk
