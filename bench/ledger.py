"""Measures verifying a long ledger, and what an entry costs inside a decision.

    python bench/ledger.py [ENTRIES] [DECISIONS]

Runs in a PostgreSQL of its own in a temporary folder, with durable writes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
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

from footprint.embedded import Hold, Home
from footprint.ledger import record
from footprint.ledger.chain import GENESIS, canonical_json, next_hash
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, Subject, change
from footprint.ledger.sealing import make_checkpoint

ACTOR = Actor("person", "7", "Rui Alves")
MEASURE = """
import re, time, django
django.setup()
from django.db import connection
from footprint.ledger.verify import verify
connection.ensure_connection()
began, worked = time.perf_counter(), time.process_time()
proven = verify()
seconds, worked = time.perf_counter() - began, time.process_time() - worked
# Not getrusage: a child begins with what its parent had.
status = open("/proc/self/status").read()
memory = int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) / 1024
pace = f"{proven.entries / seconds:,.0f} a second, {worked:.1f} s of it here, {memory:.0f} MB at most"
print(f"verified {proven.entries:,} entries in {seconds:.2f} s: {pace}")
"""


def of_a_decision(ledger: Change, number: int) -> None:
    ledger.add(
        Event.DECISION_MADE,
        Subject("decision", str(number), f"block of host{number}.contoso.example, everywhere"),
        case_number=number % 500,
        before={"verdict": "undecided"},
        after={"verdict": "blocked", "subject_kind": "name", "subject": f"host{number}.contoso.example"},
        reason="Beacons each minute, seen on one machine only",
    )


def fill(entries: int) -> None:
    """As `change` writes them, but by COPY."""
    began, previous = time.perf_counter(), GENESIS
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY ledger_entry (seq, at, actor_kind, actor_id, actor_name, event, subject_kind, subject_id,"
            " subject_name, case_number, reason, request_id, text, hash) FROM STDIN"
        ) as copy:
            for seq in range(1, entries + 1):
                at += timedelta(seconds=1)
                noted = Change(ACTOR)
                of_a_decision(noted, seq)
                common = record._Common(ACTOR, at, record.Origin())
                text = canonical_json(common.content(seq, noted.drafts[0]))
                previous = next_hash(previous, text)
                copy.write(common.line(seq, noted.drafts[0], text, previous))
        cursor.execute("UPDATE ledger_head SET seq = %s, hash = %s", [entries, previous])
        cursor.execute("VACUUM (ANALYZE) ledger_entry")
    print(f"filled {entries:,} entries in {time.perf_counter() - began:.1f} s")


def append_cost(decisions: int) -> None:
    """The statements that a decision's entry adds to its transaction; commit and decision not counted."""
    costs = []
    append = record._append

    def timed(noted: Change) -> None:
        began = time.perf_counter()
        append(noted)
        costs.append(time.perf_counter() - began)

    record._append = timed
    for number in range(decisions):
        with change(actor=ACTOR) as ledger:
            of_a_decision(ledger, number)
    costs.sort()
    print(
        f"append inside a decision: median {costs[len(costs) // 2] * 1000:.2f} ms,"
        f" 95 % {costs[len(costs) * 95 // 100] * 1000:.2f} ms, {decisions:,} times"
    )


def main(entries: int, decisions: int) -> None:
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with Hold(Home(Path(FOLDER.name)), valkey=False):
        call_command("migrate", verbosity=0)
        fill(entries)
        make_checkpoint()
        append_cost(decisions)
        make_checkpoint()
        subprocess.run([sys.executable, "-c", MEASURE], cwd=HERE, check=True)
        connection.close()
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main(*(int(each) for each in [*sys.argv[1:], *["1000000", "1000"][len(sys.argv) - 1 :]]))
