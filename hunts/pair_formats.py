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
from rich.table import Table
from rich.text import Text

from hunts.kql.footprint import CAPS, EVIDENCE
from hunts.kql.pairs import Pair

Value = str | int | list[str] | list[int]

# A spreadsheet takes a cell that begins so for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Column:
    name: str
    value: Callable[[Pair], Value]


def _shown(field: str, pair: Pair) -> Value:
    return sorted(pair.sets[field])[: CAPS[field]]


def _moment(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None).isoformat()}Z"


PAIR_COLUMNS = (Column("IP", lambda pair: pair.ip), Column("DNS", lambda pair: pair.dns))
DETAIL_COLUMNS = (
    Column("File", lambda pair: pair.file),
    *PAIR_COLUMNS,
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


def write_csv(pairs: Sequence[Pair], columns: Sequence[Column], stream: TextIO, *, defuse: bool) -> None:
    """Lists are JSON text. `defuse` puts an apostrophe before what a spreadsheet would compute."""
    plain = csv.writer(stream, lineterminator="\n")
    # The csv module leaves a lone carriage return unquoted, and readers then see two lines.
    quoted = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow([column.name for column in columns])
    for pair in pairs:
        cells = [_csv_cell(column.value(pair), defuse) for column in columns]
        (quoted if any("\r" in cell for cell in cells) else plain).writerow(cells)


def write_json(pairs: Sequence[Pair], columns: Sequence[Column], stream: TextIO) -> None:
    """One array, an object a line."""
    lines = (
        json.dumps({column.name: column.value(pair) for column in columns}, ensure_ascii=False)
        for pair in pairs
    )
    stream.write("[" + ",".join(f"\n{line}" for line in lines) + ("\n]\n" if pairs else "]\n"))


def write_table(pairs: Sequence[Pair], columns: Sequence[Column], stream: TextIO) -> None:
    """Nothing is cut to fit: a terminal folds long cells, a file gets columns as wide as they are."""
    if len(columns) > len(PAIR_COLUMNS):
        stream.writelines(f"{_card(pair, columns)}\n" for pair in pairs)
    elif stream.isatty():
        _write_rich_table(pairs, columns, stream)
    else:
        _write_plain_table(pairs, columns, stream)


def _write_rich_table(pairs: Sequence[Pair], columns: Sequence[Column], stream: TextIO) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column.name, overflow="fold")
    for pair in pairs:
        table.add_row(*(Text(_words(column.value(pair))) for column in columns))
    Console(file=stream, highlight=False).print(table)


def _write_plain_table(pairs: Sequence[Pair], columns: Sequence[Column], stream: TextIO) -> None:
    lines = [[column.name for column in columns]]
    lines += [[_words(column.value(pair)) for column in columns] for pair in pairs]
    widths = [max(cell_len(line[position]) for line in lines) for position in range(len(columns))]
    for line in lines:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        stream.write("  ".join(padded).rstrip() + "\n")


def _card(pair: Pair, columns: Sequence[Column]) -> str:
    width = max(len(column.name) for column in columns)
    named = ((column.name.ljust(width), _words(column.value(pair))) for column in columns)
    return "".join(f"{name}  {words}\n" for name, words in named if words)


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
