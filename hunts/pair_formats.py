"""Pairs as a table to read, as CSV or as JSON. Columns have the names of the query."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TextIO

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column as _Heading
from rich.table import Table
from rich.text import Text

from hunts.kql.footprint import CAPS, EVIDENCE
from hunts.kql.pairs import Pair

Value = str | int | list[str] | list[int]

# A spreadsheet takes a cell that begins so for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def _shown(field: str, pair: Pair) -> Value:
    return sorted(pair.sets[field])[: CAPS[field]]


def _moment(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None).isoformat()}Z"


@dataclass(frozen=True)
class Column:
    name: str
    value: Callable[[Pair], Value]


_DETAIL = (
    Column("File", lambda pair: pair.file),
    Column("IP", lambda pair: pair.ip),
    Column("DNS", lambda pair: pair.dns),
    Column("FirstSeen", lambda pair: _moment(pair.first_seen)),
    Column("LastSeen", lambda pair: _moment(pair.last_seen)),
    Column("Events", lambda pair: pair.events),
    Column("ActiveHours", lambda pair: pair.active_hours),
    Column("Days", lambda pair: pair.days),
    Column("Devices", lambda pair: pair.devices),
    *(Column(evidence.name, partial(_shown, evidence.field)) for evidence in EVIDENCE),
    # The columns above that hold less than was recorded.
    Column("More", lambda pair: [e.name for e in EVIDENCE if len(pair.sets[e.field]) > e.cap]),
)


@dataclass(frozen=True)
class Lines:
    names: Sequence[str]
    values: Sequence[Sequence[Value]]


def lines_of_pairs(pairs: Sequence[tuple[str, str]]) -> Lines:
    return Lines(("IP", "DNS"), pairs)


def lines_of_detail(pairs: Sequence[Pair]) -> Lines:
    names = tuple(column.name for column in _DETAIL)
    return Lines(names, [[column.value(pair) for column in _DETAIL] for pair in pairs])


def write_csv(lines: Lines, stream: TextIO, *, defuse: bool) -> None:
    """Lists are JSON text. `defuse` puts an apostrophe before what a spreadsheet would compute."""
    plain = csv.writer(stream, lineterminator="\n")
    # The csv module leaves a lone carriage return unquoted, and readers then see two lines.
    quoted = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(lines.names)
    for values in lines.values:
        cells = [_csv_cell(value, defuse) for value in values]
        (quoted if any("\r" in cell for cell in cells) else plain).writerow(cells)


def write_json(lines: Lines, stream: TextIO) -> None:
    """One array, an object a line."""
    objects = (dict(zip(lines.names, values, strict=True)) for values in lines.values)
    texts = [json.dumps(each, ensure_ascii=False) for each in objects]
    stream.write("[" + ",".join(f"\n{text}" for text in texts) + ("\n]\n" if texts else "]\n"))


def write_table(lines: Lines, stream: TextIO) -> None:
    """Nothing is cut to fit: a terminal folds long cells, a file gets columns as wide as they are."""
    if stream.isatty():
        table = Table(*(_Heading(name, overflow="fold") for name in lines.names), box=box.SIMPLE_HEAD)
        for values in lines.values:
            table.add_row(*(Text(_words(value)) for value in values))
        Console(file=stream, highlight=False).print(table)
        return
    cells = [list(lines.names), *([_words(value) for value in values] for values in lines.values)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        stream.write("  ".join(padded).rstrip() + "\n")


def write_cards(lines: Lines, stream: TextIO) -> None:
    """A card a line: too many columns for a table."""
    width = max(map(len, lines.names))
    for values in lines.values:
        named = ((name.ljust(width), _words(value)) for name, value in zip(lines.names, values, strict=True))
        stream.write("".join(f"{name}  {words}\n" for name, words in named if words) + "\n")


def _csv_cell(value: Value, defuse: bool) -> str:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and defuse and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return str(value)


def _words(value: Value) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    # What was recorded must not move the cursor, colour the screen or turn the writing round.
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
