"""Cells as the sources send them: typed, as text, or missing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import lru_cache


class UnreadableCell(ValueError):
    pass


def read_text(cell: object) -> str:
    """Kusto strings know no null, so a missing one is the empty one."""
    return "" if cell is None else str(cell)


def read_count(cell: object) -> int:
    if cell is None:
        return 0
    try:
        return int(str(cell))
    except ValueError as error:
        raise UnreadableCell(f"Not a whole number: {str(cell)[:100]!r}") from error


def read_moment(cell: object) -> datetime:
    """In UTC; more than six decimals are cut."""
    if isinstance(cell, str):
        cell = _parse_moment(cell)
    if not isinstance(cell, datetime):
        raise UnreadableCell(f"Not a time: {str(cell)[:100]!r}")
    return cell.replace(tzinfo=UTC) if cell.tzinfo is None else cell.astimezone(UTC)


def read_day(cell: object) -> date:
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return cell
    return read_moment(cell).date()


def read_set(cell: object, cap: int) -> list[str]:
    """Distinct values without the empty one, sorted, at most one more than the cap."""
    if isinstance(cell, str) and len(cell) <= _LONGEST_KEPT:
        return list(_read_set_again(cell, cap))
    return _read_set(cell, cap)


def read_numbers(cell: object, cap: int) -> list[int]:
    return sorted({read_count(value) for value in set_items(cell) if value not in (None, "")})[: cap + 1]


def _read_set(cell: object, cap: int) -> list[str]:
    return sorted({read_text(value) for value in set_items(cell)} - {""})[: cap + 1]


# Most sets of an answer are short and the same ones again: one action, one hash, one publisher.
_LONGEST_KEPT = 200
_read_set_again = lru_cache(maxsize=10_000)(_read_set)


def cut_set(cell: object, limit: int) -> object:
    """The cell with no more values than the query asked for, for a source that does not count them."""
    if isinstance(cell, str) and cell.count(",") < limit:
        return cell
    items = set_items(cell)
    return cell if len(items) <= limit else json.dumps(items[:limit], ensure_ascii=False)


def set_items(cell: object) -> list[object]:
    """A dynamic cell arrives as a list, as its JSON text, or, from some tables, as the bare value."""
    if isinstance(cell, str):
        cell = _parse_dynamic(cell)
    if cell is None or cell == "":
        return []
    return list(cell) if isinstance(cell, list | tuple) else [cell]


def _parse_dynamic(text: str) -> object:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if value is None or isinstance(value, list) else text


def _parse_moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise UnreadableCell(f"Not a time: {text[:100]!r}") from error
