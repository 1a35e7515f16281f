"""An answer in the shape the question asked for."""

from __future__ import annotations

from collections.abc import Sequence

from hunts.kql.footprint import Query
from hunts.sources.errors import Rejected

Cells = tuple[object, ...]


def fitted(
    query: Query, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> tuple[tuple[str, ...], list[Cells]]:
    """The columns the query names, in its order. Raises Rejected when one is missing or there twice."""
    wanted = query.columns
    if not wanted or tuple(columns) == wanted:
        return tuple(columns), [tuple(row) for row in rows]
    _check(wanted, columns)
    order = [columns.index(name) for name in wanted]
    return wanted, [tuple(row[position] for position in order) for row in rows]


def _check(wanted: Sequence[str], columns: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in columns]
    twice = [name for name in wanted if list(columns).count(name) > 1]
    if not missing and not twice:
        return
    words = "lacks" if missing else "has twice"
    names = ", ".join(missing or twice)
    raise Rejected(f"The answer {words} what was asked for: {names}.", said=f"columns: {', '.join(columns)}")
