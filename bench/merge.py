"""Measures merging a slice and deciding on a value that many endpoints have.

    python bench/merge.py [GROUPS] [ENDPOINTS]

A slice and ten of them: all new, known and unchanged, half of them known, all changed. Beside it the same
upserts written by hand on the same tables with the same indexes,
            from the same rows: they read addresses and
names too, but replace sets instead of merging them, and count values from the answer alone.

Runs in a PostgreSQL of its own in a temporary folder,
            with durable writes. Prints seconds and rows a second.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))
FOLDER = tempfile.TemporaryDirectory(prefix="footprint-bench-")
os.environ["FOOTPRINT_DATA"] = FOLDER.name
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "footprint.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection, transaction

from cases.actions import decide, undo
from cases.bases import basis_of
from cases.case_actions import FileText, add_case
from cases.folding import endpoint_key
from cases.merging import RowToMerge, merge, settle_unsettled
from cases.models import Case
from cases.observed import observe
from footprint.accounts.models import Person, Role
from footprint.embedded import Hold, Home
from footprint.ledger.record import Actor, change

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def groups(
    count: int, *, days_ago: int = 0, port: int = 443, name: str = "h{}.example", first: int = 0
) -> Iterator[RowToMerge]:
    """One group per row: three quarters with a name, five endpoints to a name, evidence as in a fleet."""
    seen = NOON - timedelta(days=days_ago)
    for number in range(first, first + count):
        has_name = number % 4
        yield RowToMerge(
            file_kind="name",
            file="a.exe",
            day=seen.date(),
            ip=str(ip_address(0x0A000000 + number)),
            dns=name.format(number // 5) if has_name else "",
            first_seen=seen,
            last_seen=seen + timedelta(hours=3),
            events=number % 97 + 1,
            active_hours=number % 9 + 1,
            devices=3,
            device_names=[f"lis-w-{(number + step) % 400:04}" for step in range(3)],
            ports=[port, 80],
            actions=["ConnectionSuccess", "ConnectionFailed"],
            accounts=["ana", "rui"],
            hashes=[f"{number % 7:040x}"],
            folders=["c:\\program files\\vendor\\app"],
            publishers=["Contoso Ltd"],
            parents=["services.exe"],
            command_lines=[f'"c:\\program files\\vendor\\app\\a.exe" --profile {number % 5}'],
        )


def timed(what: str, rows: int, work: Callable[[], object]) -> None:
    began = time.perf_counter()
    work()
    tell(what, rows, time.perf_counter() - began)


def tell(what: str, rows: int, seconds: float) -> None:
    print(f"{what:<58} {seconds:8.3f} s  {rows / seconds:>10,.0f} rows/s", flush=True)


def merge_once(case: Case, rows: list[RowToMerge]) -> None:
    with transaction.atomic():
        merge(case_id=case.pk, source="local", rows=rows, since=datetime.now(UTC))


def open_case(owner: Person) -> Case:
    with change(actor=Actor.person(owner)) as ledger:
        files = [FileText("name", "a.exe", "a.exe")]
        return add_case(ledger, owner=owner, title="Bench", why="", files=files)


BY_HAND = """
    WITH written AS (
        INSERT INTO cases_endpoint AS e (case_id, key, file_id, ip, dns, value, value_kind, first_seen,
            last_seen, more, raw_ips, raw_names, devices, ports, actions, accounts, hashes, folders,
            publishers, parents,
            command_lines, settled, name_verdict, address_verdict, verdict)
        SELECT %(case)s, key, file_id, ip, dns, value, kind, first_seen, last_seen, '{}', raw_ips,
            raw_names,
            devices, ports, actions, accounts, hashes, folders, publishers, parents, command_lines, false,
            'undecided', 'undecided', 'undecided' FROM arrived ORDER BY key
        ON CONFLICT (case_id, key) DO UPDATE SET first_seen = least(e.first_seen, excluded.first_seen),
            last_seen = greatest(e.last_seen, excluded.last_seen), raw_ips = excluded.raw_ips,
            raw_names = excluded.raw_names, devices = excluded.devices, ports = excluded.ports,
            actions = excluded.actions, accounts = excluded.accounts, hashes = excluded.hashes,
            folders = excluded.folders, publishers = excluded.publishers, parents = excluded.parents,
            command_lines = excluded.command_lines
        RETURNING id, key
    )
    INSERT INTO cases_sighting AS s (
        endpoint_id, source, day, events, active_hours, devices, first_seen, last_seen)
    SELECT w.id, 'local', a.day, a.events, a.active_hours, a.machines, a.first_seen, a.last_seen
      FROM written w JOIN arrived a USING (key)
    ON CONFLICT (endpoint_id, source, day) DO UPDATE SET events = greatest(s.events, excluded.events),
        active_hours = greatest(s.active_hours, excluded.active_hours),
        devices = greatest(s.devices, excluded.devices);
    INSERT INTO cases_casevalue AS v (case_id, value, kind, domain, verdict, is_open, endpoints, undecided,
        allowed, blocked, files, file_ids, addresses, devices, devices_more, ports, ports_more, events, days,
            first_seen, last_seen,
        strip, strip_to, added_at, version)
    SELECT %(case)s, value, kind, '', 'undecided', true, count(*), count(*), 0, 0, 1, '{}',
        count(DISTINCT ip), max(machines), false, '{}', false, sum(events), count(DISTINCT day),
            min(first_seen), max(last_seen), '{}', max(day),
        now(), 0
      FROM arrived GROUP BY value, kind ORDER BY value
    ON CONFLICT (case_id, value) DO UPDATE SET endpoints = excluded.endpoints,
        events = excluded.events, last_seen = greatest(v.last_seen, excluded.last_seen),
            version = v.version + 1
"""
ARRIVED = """
    CREATE TEMPORARY TABLE arrived (key uuid, file_id bigint, ip inet, dns text, value text, kind text,
            day date,
        events bigint, active_hours smallint, machines integer, first_seen timestamptz,
            last_seen timestamptz,
        raw_ips text[], raw_names text[], devices text[], ports integer[], actions text[], accounts text[],
        hashes text[], folders text[], publishers text[], parents text[],
            command_lines text[]) ON COMMIT DROP
"""


def by_hand(case: Case, rows: list[RowToMerge]) -> None:
    file_id = case.files.get().pk
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ARRIVED)
        with cursor.copy("COPY arrived FROM STDIN") as copy:
            for row in rows:
                seen = observe(row.ip, row.dns)
                copy.write_row(
                    (
                        endpoint_key(file_id, seen).hex(),
                        *(file_id, seen.ip, seen.dns, seen.value, seen.kind, row.day),
                        *(row.events, row.active_hours, row.devices, row.first_seen, row.last_seen),
                        *([row.ip], [row.dns], row.device_names, row.ports, row.actions, row.accounts),
                        *(row.hashes, row.folders, row.publishers, row.parents, row.command_lines),
                    )
                )
        cursor.execute("ANALYZE arrived")
        cursor.execute(BY_HAND, {"case": case.pk})


def measure_beside(owner: Person, count: int, slices: int) -> None:
    """The merge beside the upserts by hand, each with a case of its own."""
    print(f"{slices} slice{'s' if slices > 1 else ''} of {count:,} groups: the merge, then by hand")
    far = count * 100
    makers: dict[str, Callable[[int], list[RowToMerge]]] = {
        "new": lambda first: list(groups(count, first=first)),
        "known": lambda first: list(groups(count, first=first)),
        "half known": lambda first: [
            *groups(count // 2, first=first),
            *groups(count - count // 2, first=first + far),
        ],
        "changed": lambda first: list(groups(count, first=first, port=8443)),
    }
    taken: dict[tuple[str, str], float] = {}
    for who, merge_it in (("merge", merge_once), ("by hand", by_hand)):
        case = open_case(owner)
        for what, make in makers.items():
            seconds = 0.0
            for number in range(slices):
                rows = make(count * number)
                began = time.perf_counter()
                merge_it(case, rows)
                seconds += time.perf_counter() - began
            taken[who, what] = seconds
            tell(f"  {who}, {what}", count * slices, seconds)
            analyze()
    for what in ("new", "known", "half known", "changed"):
        print(f"  {what:<12} {taken['by hand', what] / taken['merge', what]:6.2f} of the rate by hand")
    times = taken["merge", "changed"] / taken["merge", "known"]
    print(f"  known and unchanged is {times:.1f} times as fast as changed")


def measure_merging(owner: Person, count: int) -> None:
    case = open_case(owner)
    rows = list(groups(count))
    timed("merge, all new", count, lambda: merge_once(case, rows))
    timed("settle the new", count, lambda: settle_unsettled(case.pk))
    analyze()
    timed("merge, all known and unchanged", count, lambda: merge_once(case, rows))
    changed = list(groups(count, port=8443))
    timed("merge, all known and every set changed", count, lambda: merge_once(case, changed))
    for days_ago in range(1, 30):
        merge_once(case, list(groups(count // 10, days_ago=days_ago)))
    analyze()
    next_day = list(groups(count, days_ago=-1))
    timed("merge, all known, a new day, a tenth with 30 days", count, lambda: merge_once(case, next_day))
    measure_reviews(case, count)


def measure_reviews(case: Case, count: int) -> None:
    """The same with every value decided: first nothing is new, then a port of each value and a hash."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_casevalue SET allowed = endpoints WHERE case_id = %s", [case.pk])
    analyze()
    decided = list(groups(count, days_ago=-2))
    timed("merge, all decided, a new day", count, lambda: merge_once(case, decided))
    news = list(groups(count, days_ago=-3, port=4444))
    timed("merge, all decided, a new day, a new port of each", count, lambda: merge_once(case, news))


def measure_deciding(owner: Person, count: int) -> None:
    """One value of one case, and `count` endpoints of the same address spread over ten other cases."""
    here = open_case(owner)
    others = [open_case(owner) for _ in range(10)]
    with transaction.atomic():
        merge(case_id=here.pk, source="local", rows=[one("203.0.113.7", "")])
    for number, case in enumerate(others):
        rows = [one("203.0.113.7", f"n{each}.c{number}.example") for each in range(count // 10)]
        rows += [one(f"198.51.{each // 256}.{each % 256}", "one.example") for each in range(count // 10)]
        merge_once(case, rows)
    for case in (here, *others):
        settle_unsettled(case.pk)
    analyze()
    value, name = "203.0.113.7", "one.example"
    timed("decide on an address with its endpoints elsewhere", count, lambda: block(owner, here, value))
    timed("undo it", count, lambda: undo(actor=owner, decision=owner.proposed.latest("pk")))
    timed("decide on a name with its endpoints elsewhere", count, lambda: block(owner, others[0], name))
    timed("undo it", count, lambda: undo(actor=owner, decision=owner.proposed.latest("pk")))
    small = "n7.c0.example"
    timed("decide on a name with one endpoint", 1, lambda: block(owner, others[0], small))
    timed("undo it", 1, lambda: undo(actor=owner, decision=owner.proposed.latest("pk")))


def one(ip: str, dns: str) -> RowToMerge:
    (row,) = groups(1)
    return RowToMerge(**{name: getattr(row, name) for name in row.__slots__} | {"ip": ip, "dns": dns})


def block(owner: Person, case: Case, value: str) -> None:
    decide(
        actor=owner,
        case=case,
        value=value,
        verdict="blocked",
        scope="everywhere",
        reason="Bench",
        basis=basis_of(case, value),
    )


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    endpoints = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with Hold(Home(Path(FOLDER.name)), valkey=False):
        call_command("migrate", verbosity=0)
        owner = Person.objects.create(username="bench", role=Role.REVIEWER)
        measure_beside(owner, count, 1)
        print(f"memory up to here: {peak_mb():.0f} MB")
        measure_beside(owner, count, 10)
        measure_merging(owner, count)
        measure_deciding(owner, endpoints)
        connection.close()
    print(f"peak memory of this process: {peak_mb():.0f} MB")


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
