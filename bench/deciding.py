"""Measures deciding on a large case: one by one, in bulk, and one beside a bulk.

    python bench/deciding.py [--endpoints 1000000] [--others 2000000] [--decisions 100000] [--bulk 100000]
                             [--step-ms 100,60000]

Runs in a PostgreSQL of its own in a temporary folder, with durable writes. Beside the bulk the same rows
are updated as a plain Django view would, in the same run: without history, without who, when and why.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from large_world import Size, begin, fill, servers

FOLDER = begin()

from django.conf import settings
from django.db import connection, transaction

from cases.actions import basis_of, decide, undo
from cases.batches.actions import confirm, draft, undo_batch
from cases.batches.working import work_on
from cases.models import Batch, Case, CaseValue, Decision
from footprint.accounts.models import Person
from footprint.ledger.models import Entry

REASON = "Seen in the beacon report"


def tell(what: str, seconds: Sequence[float]) -> None:
    in_order = sorted(seconds)
    middle, most = in_order[len(in_order) // 2], in_order[len(in_order) * 95 // 100]
    print(
        f"{what:<58} p50 {middle * 1000:8.1f} ms  p95 {most * 1000:8.1f} ms"
        f"  most {in_order[-1] * 1000:8.1f} ms  ({len(in_order)} times)",
        flush=True,
    )


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu() -> tuple[float, float]:
    """Seconds of processor that this process and its connection's server have had."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        ticks = Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text().rpartition(")")[2].split()[11:13]
    return time.process_time(), sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def cpu_since(before: tuple[float, float]) -> str:
    here, there = (now - then for now, then in zip(cpu(), before, strict=True))
    return f"processor: {here:.2f} s here, {there:.2f} s in PostgreSQL"


def decide_on(person: Person, case: Case, value: str) -> Decision:
    """With the question for what is in force, which the page asks too."""
    return decide(
        actor=person,
        case=case,
        value=value,
        verdict="blocked",
        scope="everywhere",
        reason=REASON,
        basis=basis_of(case, value),
    )


def singles(person: Person, case: Case, values: Iterable[str]) -> None:
    decisions: list[Decision] = []
    tell(
        "one decision",
        [timed(lambda value=value: decisions.append(decide_on(person, case, value))) for value in values],  # type: ignore[misc]  # bound at once
    )
    tell(
        "its undo",
        [timed(lambda each=each: undo(actor=person, decision=each)) for each in decisions],  # type: ignore[misc]  # as above
    )


def bulk(person: Person, case: Case, first: int, count: int) -> tuple[float, Batch]:
    """Values that lie side by side in the queue's table; returns the seconds of the worker."""
    values = CaseValue.objects.filter(case=case, is_open=True, pk__gte=first).order_by("pk")
    picked = CaseValue.objects.filter(
        case=case, is_open=True, pk__gte=first, pk__lte=values.values_list("pk", flat=True)[count - 1]
    )
    began = time.perf_counter()
    batch = draft(
        actor=person, case=case, values=picked, verdict="blocked", scope="everywhere", reason=REASON
    )
    frozen = time.perf_counter() - began
    confirm(actor=person, batch=batch)
    entries, used = Entry.objects.count(), cpu()
    began = time.perf_counter()
    while Batch.objects.get(pk=batch.pk).is_underway:
        work_on(batch.pk, "bench")
    taken = time.perf_counter() - began
    batch.refresh_from_db()
    written = Entry.objects.count() - entries
    print(
        f"bulk of {count:,}, steps of {settings.FOOTPRINT.batch_step_ms:,} ms: frozen in {frozen:.2f} s,"
        f" decided in {taken:.2f} s = {count / taken:,.0f} values/s;"
        f" {batch.decided:,} decisions, {written:,} entries;"
        f" {cpu_since(used)}",
        flush=True,
    )
    return taken, batch


def undo_bulk(person: Person, batch: Batch) -> None:
    undo_batch(actor=person, batch=batch)
    used = cpu()
    began = time.perf_counter()
    while Batch.objects.get(pk=batch.pk).is_underway:
        work_on(batch.pk, "bench")
    taken = time.perf_counter() - began
    batch.refresh_from_db()
    print(
        f"  undone in {taken:.2f} s = {batch.withdrawn / taken:,.0f} decisions/s; {cpu_since(used)}",
        flush=True,
    )


def save_each(objects: Iterable[CaseValue]) -> None:
    for each in objects:
        each.save()


def plain(case: Case, first: int, count: int) -> None:
    """What a plain Django view would do to the same rows: the verdict alone."""
    values = CaseValue.objects.filter(case=case, is_open=True, pk__gte=first).order_by("pk")
    ids = list(values.values_list("pk", flat=True)[:count])
    with transaction.atomic():
        took = timed(lambda: CaseValue.objects.filter(pk__in=ids).update(verdict="blocked", is_open=False))
        transaction.set_rollback(True)
    print(f"beside it queryset.update() of {count:,} rows, no history: {took:.2f} s", flush=True)
    objects = list(CaseValue.objects.filter(pk__in=ids[:1000]))
    with transaction.atomic():
        took = timed(lambda: save_each(objects))
        transaction.set_rollback(True)
    print(f"beside it save() of {len(objects):,} rows, no history: {took:.2f} s", flush=True)


def beside(person: Person, case: Case, first: int, count: int, values: Sequence[str]) -> None:
    """One person decides again and again while a bulk runs in another process."""
    taken: list[float] = []
    over = threading.Event()

    def person_decides() -> None:
        try:
            for value in values:
                if over.is_set():
                    return
                taken.append(timed(lambda value=value: decide_on(person, case, value)))  # type: ignore[misc]  # bound at once
                time.sleep(0.05)
        finally:
            connection.close()

    connection.close()
    child = os.fork()
    if child == 0:
        bulk(person, case, first, count)
        os._exit(0)
    thread = threading.Thread(target=person_decides)
    thread.start()
    os.waitpid(child, 0)
    over.set()
    thread.join()
    tell(f"one decision while a bulk of {count:,} runs", taken)


def names(case: Case, count: int, *, after: int) -> list[str]:
    found = CaseValue.objects.filter(case=case, is_open=True, pk__gt=after, domain__endswith="example")
    found = found.exclude(domain="shared.example").order_by("-pk")
    return list(found.values_list("value", flat=True)[:count])


def main(arguments: argparse.Namespace) -> None:
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with servers(FOLDER.name):
        case = Case.objects.get(pk=fill(Size(arguments.endpoints, arguments.others, arguments.decisions)))
        person = Person.objects.get(username="bench")
        least = CaseValue.objects.filter(case=case).order_by("pk").values_list("pk", flat=True)[0]
        rest = names(case, 400, after=least + arguments.bulk * 3 // 2)
        singles(person, case, rest[:100])
        plain(case, least, min(arguments.bulk, 100_000))
        # Each bulk on values of its own: nothing is decided twice.
        place = least
        for milliseconds in map(int, arguments.step_ms.split(",")):
            changed = {"batch_step_ms": milliseconds}
            settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update=changed)
            for _ in range(3):
                _, batch = bulk(person, case, place, 1_000)
                undo_bulk(person, batch)
            _, batch = bulk(person, case, place, arguments.bulk)
            place += arguments.bulk
            beside(person, case, place, arguments.bulk // 2, rest[100:])
            place += arguments.bulk // 2
        undo_bulk(person, batch)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--endpoints", type=int, default=1_000_000)
    parser.add_argument("--others", type=int, default=2_000_000)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--bulk", type=int, default=100_000)
    parser.add_argument("--step-ms", default="100")
    main(parser.parse_args())
