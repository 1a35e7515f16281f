"""How fast each format writes a million entries, and with how much memory.

    python bench/watchlists.py [--entries N] [--formats F …]

Counts processor time, without the time that making the entries takes.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cases.watchlists.formats import REGISTRY, ListEntry, Published  # the path comes first
from cases.watchlists.rendering import render

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_LIST = Published("all-blocks", "All blocks", "", "blocked", 1, _BEGAN)


def entries(count: int) -> Iterator[ListEntry]:
    """Half of them addresses, half names, in the order of kind and value."""
    for number in range(count // 2):
        value = f"{9 + number // 16_777_216}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        yield _entry("address", value, number)
    for number in range(count // 2, count):
        yield _entry("name", f"n{number:07}.beacon.example", number)


def _entry(kind: str, value: str, number: int) -> ListEntry:
    at = _BEGAN + timedelta(seconds=number)
    reason = "Command channel of the updater, seen on three devices"
    return ListEntry(kind, value, "blocked", reason, "Rui Alves", at, None, 7, number, True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--formats", nargs="*", default=list(REGISTRY))
    asked = parser.parse_args()
    for slug in asked.formats:
        began = time.process_time()
        for _ in entries(asked.entries):
            pass
        making = time.process_time() - began
        began = time.process_time()
        with Path("/dev/null").open("wb") as nowhere:
            report = render(REGISTRY[slug], _LIST, entries(asked.entries), nowhere).report
        seconds = max(time.process_time() - began - making, 0.001)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{slug:26} {asked.entries / seconds:>10,.0f} entries/s, {report.written:>9,} written, {peak} MB"
        )


if __name__ == "__main__":
    main()
