"""Where the rows of a part of a day wait, small, until the whole day can be merged.

The parts of a day divide its pairs, and two pairs may be one endpoint (`A.example.` and `a.example`).
So no part can be merged alone: its numbers would stand beside those of the others instead of being added.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from cases.folding import RowToMerge
from cases.observed import observe
from hunts.models import Slice, StagedRows

# A day is merged in so many steps of one transaction, so that its rows need not all be in memory.
_BUCKETS = 16
_FIELDS = tuple(RowToMerge.__slots__)
_DAY, _FIRST, _LAST = (_FIELDS.index(name) for name in ("day", "first_seen", "last_seen"))


def stage(part: Slice, rows: Sequence[RowToMerge]) -> None:
    buckets: dict[int, list[RowToMerge]] = defaultdict(list)
    for row in rows:
        buckets[_bucket_of(row)].append(row)
    StagedRows.objects.filter(slice=part).delete()
    StagedRows.objects.bulk_create(
        StagedRows(slice=part, bucket=bucket, rows=_packed(those)) for bucket, those in buckets.items()
    )


def buckets_of(parts: Sequence[Slice]) -> Iterator[list[RowToMerge]]:
    """All rows of these parts; those of one endpoint are in the same list."""
    staged = StagedRows.objects.filter(slice__in=[part.pk for part in parts]).order_by("slice")
    for bucket in range(_BUCKETS):
        rows = [row for each in staged.filter(bucket=bucket) for row in _unpacked(bytes(each.rows))]
        if rows:
            yield rows


def drop(parts: Sequence[Slice]) -> None:
    StagedRows.objects.filter(slice__in=[part.pk for part in parts]).delete()


def _bucket_of(row: RowToMerge) -> int:
    observed = observe(row.ip, row.dns)
    text = f"{observed.ip or ''}\0{observed.dns}".encode(errors="surrogatepass")
    return hashlib.md5(text, usedforsecurity=False).digest()[0] % _BUCKETS


def _packed(rows: Sequence[RowToMerge]) -> bytes:
    cells = [[getattr(row, name) for name in _FIELDS] for row in rows]
    return zlib.compress(json.dumps(cells, default=_text_of).encode(), 1)


def _unpacked(packed: bytes) -> Iterator[RowToMerge]:
    for cells in json.loads(zlib.decompress(packed)):
        cells[_DAY] = date.fromisoformat(cells[_DAY])
        cells[_FIRST] = datetime.fromisoformat(cells[_FIRST])
        cells[_LAST] = datetime.fromisoformat(cells[_LAST])
        yield RowToMerge(*cells)


def _text_of(moment: date | datetime) -> str:
    return moment.isoformat()
