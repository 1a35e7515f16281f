"""Measures loading every known list of the package and matching values against all of them.

    python bench/known_lists.py [VALUES]

Values are a mixture: a quarter addresses of clouds and resolvers, a quarter other addresses, a quarter
names of the lists, a quarter names below them and unknown ones. Runs in a PostgreSQL of its own in a
temporary folder, with durable writes.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import sys
import tempfile
import time
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
from django.db import connection

from cases.known.actions import load_lists
from cases.known.matching import known_hits
from cases.known.sources import package_lists
from cases.verdicts.subject import Subject, SubjectKind
from footprint.embedded import Hold, Home
from footprint.ledger.record import Actor

CHANCE = random.Random(5)  # noqa: S311  # the same values each time
TIMES = 20


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def subjects(count: int) -> list[Subject]:
    quarter = count // 4
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT host(network) FROM cases_knownentry WHERE network IS NOT NULL AND family(network) = 4"
            " ORDER BY random() LIMIT %s",
            [quarter],
        )
        listed = [address for (address,) in cursor.fetchall()]
        cursor.execute(
            "SELECT name FROM cases_knownentry TABLESAMPLE SYSTEM (5) WHERE name <> '' LIMIT %s", [quarter]
        )
        names = [name for (name,) in cursor.fetchall()]
    others = [str(ip_address(CHANCE.getrandbits(32))) for _ in range(quarter)]
    below = [
        f"n{number}.{name}" if number % 2 else f"n{number}.beacon{number}.example"
        for number, name in enumerate(names)
    ]
    return [Subject(SubjectKind.ADDRESS, text) for text in {*listed, *others}] + [
        Subject(SubjectKind.NAME, text) for text in {*names, *below}
    ]


def milliseconds(asked: list[Subject]) -> list[float]:
    spent = []
    for _ in range(TIMES):
        began = time.perf_counter()
        known_hits(asked)
        spent.append((time.perf_counter() - began) * 1000)
    return sorted(spent)


def report(what: str, asked: list[Subject]) -> None:
    known_hits(asked)
    began = time.process_time()
    spent = milliseconds(asked)
    here = (time.process_time() - began) * 1000 / TIMES
    hits = known_hits(asked)
    print(
        f"{what:32} best {spent[0]:6.1f}  p50 {statistics.median(spent):6.1f}  p95 {spent[-2]:6.1f} ms,"
        f" {here:.1f} ms of them Python's"
        f"  {len(hits):,} of {len(asked):,} with {sum(map(len, hits.values())):,} hits"
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with Hold(Home(Path(FOLDER.name)), durable=True):
        call_command("migrate", verbosity=0)
        for what, at_most in (("lists up to 100,000 entries", 100_000), ("all lists", None)):
            began = time.perf_counter()
            loading = load_lists(actor=Actor.command("bench"), sources=package_lists(at_most=at_most))
            entries = sum(each.entries for each in loading.loaded)
            seconds = time.perf_counter() - began
            print(f"{what}: {len(loading.loaded)} with {entries:,} entries in {seconds:.1f} s, {peak()} MB")
        asked = subjects(count)
        report(f"{len(asked):,} values", asked)
        report("50 values", CHANCE.sample(asked, 50))
        report("one address", [Subject(SubjectKind.ADDRESS, "52.96.1.1")])
        report("*.amazonaws.com", [Subject(SubjectKind.BELOW, "amazonaws.com")])
        report("52.0.0.0/8", [Subject(SubjectKind.NETWORK, "52.0.0.0/8")])


if __name__ == "__main__":
    main()
