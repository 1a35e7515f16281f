"""Rows of an answer become endpoints, sightings and values, set-based. docs/merging.md says the rules.

A merge never takes the verdict lock: what it inserts is unsettled until `settle_unsettled` judges it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from cases.copied import NULL, copied_array, copied_text
from cases.domains import registered_domain
from cases.folding import Folded, FoldedDay, FoldedEndpoint, RowToMerge, fold
from cases.merging_sql import (
    DROP_STAGED,
    ENDPOINT_COLUMNS,
    LOCK_VALUES,
    MAKE_VALUES,
    REFRESH_VALUES,
    SIGHTING_COLUMNS,
    STAGE,
    UNKNOWN_VALUES,
    UPSERT_ENDPOINTS,
    UPSERT_SIGHTINGS,
)
from cases.models import CaseFile, ValueKind
from cases.raising import raise_reviews
from cases.verdicts.settle import lock_unsettled, settle, take_verdict_lock

__all__ = ["Merged", "RowToMerge", "merge", "settle_unsettled"]

# Endpoints settled in one transaction, so that nobody waits long for the verdict lock.
_BATCH = 5_000
_LINES_AT_ONCE = 1_000
_CONNECTED = {True: "t", False: "f", None: NULL}


@dataclass(frozen=True, slots=True)
class Merged:
    """What an answer brought. `empty_rows` say nothing; `unasked_rows` belong to no file of the case."""

    rows: int
    empty_rows: int
    new_endpoints: int
    new_values: int
    changed_endpoints: int
    unasked_rows: int = 0


def merge(*, case_id: int, source: str, rows: Iterable[RowToMerge], since: datetime | None = None) -> Merged:
    """Keeps the rows of one whole asking of their days. Runs inside the caller's transaction.

    Merging the same rows again changes nothing; what did not change is not written. `since` is when the run
    began: reviews fall due for what is new to what the case knew before it; without it, none do.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "A merge needs the transaction that marks its slice done."
        )
    files = CaseFile.objects.filter(case=case_id).values_list("kind", "key", "pk")
    file_ids = {(kind, key): pk for kind, key, pk in files}
    with _nothing_collected():
        folded = fold(rows, file_ids)
        _stage(folded)
    given: dict[str, int | str] = {"case": case_id, "source": source}
    with connection.cursor() as cursor:
        raise_reviews(cursor, case_id, since)
        cursor.execute(UPSERT_ENDPOINTS, given)
        new_endpoints, changed_endpoints = cursor.fetchone()
        cursor.execute(UPSERT_SIGHTINGS, given)
        new_values = _make_values(cursor, case_id)
        # Counted in a statement after the lock: only that sees what the lock waited for.
        cursor.execute(LOCK_VALUES, given)
        cursor.execute(REFRESH_VALUES, given)
        cursor.execute(DROP_STAGED)
    return Merged(
        rows=folded.rows,
        empty_rows=folded.empty_rows,
        new_endpoints=new_endpoints,
        new_values=new_values,
        changed_endpoints=changed_endpoints,
        unasked_rows=folded.unasked_rows,
    )


def settle_unsettled(case_id: int) -> int:
    """Judges what merges brought since, in short transactions. Safe to call again; returns how many."""
    settled = 0
    while True:
        with transaction.atomic():
            take_verdict_lock()
            batch = lock_unsettled(case_id, _BATCH)
            settle(batch)
        settled += len(batch)
        if len(batch) < _BATCH:
            return settled


def _make_values(cursor: CursorWrapper, case_id: int) -> int:
    """Adds the values that the case did not know; returns how many."""
    cursor.execute(UNKNOWN_VALUES, {"case": case_id})
    unknown = cursor.fetchall()
    if not unknown:
        return 0
    values, kinds = (list(column) for column in zip(*unknown, strict=True))
    domains = [
        registered_domain(value) if kind == ValueKind.NAME else ""
        for value, kind in zip(values, kinds, strict=True)
    ]
    given: dict[str, int | list[str]] = {
        "case": case_id,
        "values": values,
        "kinds": kinds,
        "domains": domains,
    }
    cursor.execute(MAKE_VALUES, given)
    made: int = cursor.fetchone()[0]
    return made


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Rows and what they fold to point at each other in no circle; looking for one takes half of a fold."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _stage(folded: Folded) -> None:
    with connection.cursor() as cursor:
        cursor.execute(STAGE)
        days: list[str] = []
        _copy(cursor, "staged_endpoint", ENDPOINT_COLUMNS, _endpoint_lines(folded, days))
        _copy(cursor, "staged_sighting", SIGHTING_COLUMNS, iter(days))
        cursor.execute("ANALYZE staged_endpoint (key), staged_sighting (key)")


def _copy(cursor: CursorWrapper, table: str, columns: Sequence[str], lines: Iterator[str]) -> None:
    """`lines` in COPY's text format: writing rows through the driver's adapters costs twice as much."""
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        while block := "".join(islice(lines, _LINES_AT_ONCE)):
            copy.write(block)


def _endpoint_lines(folded: Folded, days: list[str]) -> Iterator[str]:
    """Adds the lines of the endpoints' sightings to `days` on the way."""
    for endpoint in folded.endpoints():
        yield _endpoint_line(endpoint)
        days += (_sighting_line(endpoint.key.hex(), day) for day in endpoint.days)


def _endpoint_line(endpoint: FoldedEndpoint) -> str:
    observed = endpoint.observed
    columns = (
        endpoint.key.hex(),
        str(endpoint.file_id),
        observed.ip or NULL,
        copied_text(observed.dns),
        observed.dns_ip or NULL,
        copied_text(observed.value),
        observed.kind,
        _moment(endpoint.first_seen),
        _moment(endpoint.last_seen),
        copied_array(endpoint.more),
        *(each.copied for each in endpoint.sets.values()),
    )
    return "\t".join(columns) + "\n"


def _sighting_line(key: str, day: FoldedDay) -> str:
    return (
        f"{key}\t{day.day.isoformat()}\t{day.events}\t{day.active_hours}\t{day.devices}"
        f"\t{_moment(day.first_seen)}\t{_moment(day.last_seen)}\t{_CONNECTED[day.connected]}\n"
    )


@lru_cache(maxsize=10_000)
def _moment(at: datetime) -> str:
    """An endpoint and its only day share theirs."""
    return at.isoformat()
