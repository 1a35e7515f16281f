"""A day that is asked in parts: they wait in the staging table and are merged together, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from django.conf import settings
from django.db import connection

from cases.merging import Merged, RowToMerge, merge
from hunts import staging
from hunts.models import Slice


def parts_of_day(part: Slice) -> list[Slice]:
    """What a split day is asked in, without the parts that were split again."""
    return list(
        Slice.objects.filter(
            run=part.run_id, purpose=part.purpose, file_kind=part.file_kind, first_day=part.first_day
        )
        .filter(last_day=part.last_day)
        .exclude(part="")
        .exclude(state=Slice.State.SPLIT)
        .order_by("part")
    )


def merge_rows(asked: Slice, rows: Sequence[RowToMerge]) -> Merged:
    hunt = asked.run.hunt
    _end_statements_in_time()
    return merge(case_id=hunt.case_id, source=hunt.source.slug, rows=rows, since=asked.run.started_at)


def _end_statements_in_time() -> None:
    """A worker whose time is up cannot end a statement that waits for a lock: the database does."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{settings.FOOTPRINT.merge_timeout_seconds}s'")


def merge_day(part: Slice) -> Merged | None:
    """Merges a split day once its last part has ended; what could not be had is left out of it."""
    # Two that end together wait for each other here: the later one sees both.
    Slice.objects.select_for_update().filter(
        run=part.run_id,
        purpose=part.purpose,
        file_kind=part.file_kind,
        first_day=part.first_day,
        last_day=part.last_day,
        part="",
    ).first()
    parts = parts_of_day(part)
    states = {each.state for each in parts}
    if states & {Slice.State.WAITING, Slice.State.ASKING}:
        return None
    if Slice.State.CANCELLED in states:
        staging.drop(parts)
        return None
    merged = [merge_rows(part, rows) for rows in staging.buckets_of(parts)]
    if states == {Slice.State.DONE}:
        staging.drop(parts)
    # Otherwise they wait for a part that may be asked again.
    return _together(merged)


def _together(merged: Sequence[Merged]) -> Merged:
    return Merged(*(sum(getattr(each, name.name) for each in merged) for name in fields(Merged)))
