"""Measures the pre-flight of subjects from rare to everywhere, in a large case beside others.

    python bench/preflight.py [ENDPOINTS] [OTHERS] [DECISIONS]

Goal: 60 ms for a value. Known lists with up to 12,000 entries are loaded.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

from large_world import Size, begin, fill, servers

FOLDER = begin()

from cases.known.actions import load_lists
from cases.known.sources import package_lists
from cases.models import Case
from cases.preflight import preflight
from cases.verdicts.subject import read_subject
from cases.watchlists.outputs import outputs_of
from footprint.ledger.record import Actor

TIMES = 30
SUBJECTS = (
    "h1.s1.c{case}.example",
    "h0.shared.example",
    "never1.example",
    "10.0.0.77",
    "10.0.1.0/24",
    "*.s1.c{case}.example",
    "*.shared.example",
    "10.0.0.0/8",
    "172.16.0.0/12",
)


def measure(what: str, ask: Callable[[], object]) -> None:
    ask()
    spent = []
    for _ in range(TIMES):
        began = time.perf_counter()
        ask()
        spent.append((time.perf_counter() - began) * 1000)
    spent.sort()
    print(
        f"{what:40} best {spent[0]:6.1f}  p50 {statistics.median(spent):6.1f}  p95 {spent[-2]:6.1f} ms",
        flush=True,
    )


def main() -> None:
    given = [int(text) for text in sys.argv[1:]]
    with servers(FOLDER.name):
        case = Case.objects.get(pk=fill(Size(*given)))
        load_lists(actor=Actor.command("bench"), sources=package_lists(at_most=12_000))
        for text in SUBJECTS:
            subject = read_subject(text.format(case=case.pk))
            asked = partial(preflight, case=case, subject=subject, verdict="blocked", scope="everywhere")
            measure(f"pre-flight {subject.typed}", asked)
            measure(
                f"outputs    {subject.typed}", partial(outputs_of, case, subject, "blocked", "everywhere")
            )


if __name__ == "__main__":
    main()
