"""Measures merging a slice and deciding on a value that many endpoints have.

    python bench/merge.py [GROUPS] [ENDPOINTS]

Runs in a PostgreSQL of its own in a temporary folder, with durable writes. Prints seconds and rows a second.
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

import django  # noqa: E402  # the environment comes first

django.setup()

from django.core.management import call_command  # noqa: E402  # as above
from django.db import connection, transaction  # noqa: E402  # as above

from cases.actions import FileText, add_case, basis_of, decide, undo  # noqa: E402  # as above
from cases.merging import RowToMerge, merge, settle_unsettled  # noqa: E402  # as above
from cases.models import Case  # noqa: E402  # as above
from footprint.accounts.models import Person, Role  # noqa: E402  # as above
from footprint.embedded import Hold, Home  # noqa: E402  # as above
from footprint.ledger.record import Actor, change  # noqa: E402  # as above

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def groups(
    count: int, *, days_ago: int = 0, port: int = 443, name: str = "h{}.example"
) -> Iterator[RowToMerge]:
    """One group per row: three quarters with a name, five endpoints to a name, evidence as in a fleet."""
    seen = NOON - timedelta(days=days_ago)
    for number in range(count):
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
    seconds = time.perf_counter() - began
    print(f"{what:<58} {seconds:8.3f} s  {rows / seconds:>10,.0f} rows/s")


def merge_once(case: Case, rows: list[RowToMerge]) -> None:
    with transaction.atomic():
        merge(case_id=case.pk, source="local", rows=rows)


def open_case(owner: Person) -> Case:
    with change(actor=Actor.person(owner)) as ledger:
        files = [FileText("name", "a.exe", "a.exe")]
        return add_case(ledger, owner=owner, title="Bench", why="", files=files)


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
        measure_merging(owner, count)
        measure_deciding(owner, endpoints)
        connection.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {peak:.0f} MB")


if __name__ == "__main__":
    main()
