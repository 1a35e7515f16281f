"""The records of a CSV text, so that one stray quote takes no other line with it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import NamedTuple

from cases.lists.base import split_lines

DELIMITERS = (",", ";", "\t", "|")
# A cell may hold a line break; further down than this, a quote that does not close is a slip.
_LINES_IN_RECORD = 20
# How much of it the csv module takes depends on what the process has set it to.
_LONGEST_RECORD = 100_000


class Record(NamedTuple):
    """`number` is that of its first line. No cells: the line cannot be taken apart, `text` says how it is."""

    number: int
    text: str
    cells: tuple[str, ...]


def records(text: str, delimiter: str) -> Iterator[Record]:
    lines = split_lines(text)
    width = 0
    at = 0
    while at < len(lines):
        taken, cells = _record_at(lines, at, delimiter, width)
        width = width or len(cells)
        yield Record(at + 1, "\n".join(lines[at : at + taken]), cells)
        at += taken


def _record_at(lines: list[str], at: int, delimiter: str, width: int) -> tuple[int, tuple[str, ...]]:
    if lines[at].count('"') % 2 == 0:
        return 1, _cells(lines[at], delimiter)
    joined = lines[at]
    for taken in range(2, min(_LINES_IN_RECORD, len(lines) - at) + 1):
        joined += "\n" + lines[at + taken - 1]
        if joined.count('"') % 2 == 0:
            cells = _cells(joined, delimiter)
            # Of another width, it is two slips and what lies between them.
            return (taken, cells) if len(cells) == width else (1, ())
    return 1, ()


def _cells(text: str, delimiter: str) -> tuple[str, ...]:
    if len(text) > _LONGEST_RECORD:
        return ()
    try:
        rows = list(csv.reader(text.split("\n") if "\n" not in text else _kept(text), delimiter=delimiter))
    except csv.Error:
        return ()
    return tuple(rows[0]) if len(rows) == 1 else ()


def _kept(text: str) -> list[str]:
    return [f"{line}\n" for line in text.split("\n")]


def delimiter_of(first: str) -> str:
    """The one that takes the line into the most cells; a comma where none does."""
    return max(DELIMITERS, key=lambda each: len(_cells(first, each)))
