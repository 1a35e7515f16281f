"""Rows that are finished together are those that one after the other gives."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hunts.telemetry.cells import COLUMN_NAMES, BadCell, CellReader, Cells, Row
from hunts.telemetry.columns import RECORDED, TIME_COLUMN
from hunts.telemetry.readers.base import BadLine
from hunts.telemetry.readers.together import finished

TIMES = (
    "2026-11-02T12:00:00Z",
    "2026-11-02T12:00:00.1234567Z",
    "2026-11-02T12:00:00.5Z",
    "2026-11-02T12:00:00.123",
    "2026-11-02 12:00:00+02:00",
    "7/1/2022, 5:42:37.879 AM",
)
NO_TIMES = (
    "2026-02-30T12:00:00Z",
    "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59.9Z",
    "25:00",
    "\n",
    "",
    None,
    7,
)
NUMBERS: tuple[object, ...] = (
    0,
    1,
    443,
    2**31,
    2**63,
    -1,
    1.0,
    443.5,
    True,
    False,
    "443",
    "443.0",
    "https",
    "",
    None,
    "1",
    [1],
    {},
)
TEXTS: tuple[object, ...] = (
    "",
    "a",
    "\x1f",
    "\x1e",
    "\r\n",
    "null",
    "\0",
    None,
    None,
    1,
    1.0,
    10**30,
    True,
    {"a": [1]},
    [],
)
# Most rows of a file are alike.
USUAL = {TIME_COLUMN: TIMES[1], "ReportId": 5, "RemotePort": 443, "IsInitiatingProcessRemoteSession": False}


def _odd(kind: str, name: str) -> st.SearchStrategy[object]:
    if kind == "VARCHAR":
        return st.sampled_from(TEXTS)
    if kind == "TIMESTAMP":
        return st.sampled_from((*TIMES, *NO_TIMES))
    return st.sampled_from(("true", "False", *NUMBERS))


@st.composite
def files(draw: st.DrawFn) -> list[Cells]:
    columns: list[list[Any]] = []
    count = draw(st.integers(0, 40))
    for name, kind in RECORDED.items():
        usual = USUAL.get(name, draw(st.sampled_from(("text", None))) if kind == "VARCHAR" else None)
        column: list[Any] = [usual] * count
        if count and draw(st.integers(0, 3)) == 0:
            for place in draw(st.lists(st.integers(0, count - 1), max_size=4)):
                column[place] = draw(_odd(kind, name))
        columns.append(column)
    return [list(row) for row in zip(*columns, strict=True)]


def bad_line(number: int, reason: str) -> BadLine:
    return BadLine(number, reason, b"")


def one_by_one(cells: CellReader, rows: list[Cells]) -> list[list[str] | BadLine]:
    found: list[list[str] | BadLine] = []
    for number, row in enumerate(rows):
        try:
            found.append(list(cells.finish(row)))
        except BadCell as error:
            found.append(bad_line(number, str(error)))
    return found


@settings(deadline=None, max_examples=300)
@given(files())
def test_rows_finished_together_are_those_finished_one_by_one(rows: list[Cells]) -> None:
    together, alone = CellReader(), CellReader()
    numbered = [(row, number) for number, row in enumerate(deepcopy(rows))]
    found: list[list[str] | BadLine] = []
    for item in finished(together, numbered, bad_line):
        found += [item] if isinstance(item, BadLine) else map(list, item)
    assert found == one_by_one(alone, rows)
    assert together.unread == alone.unread


def test_a_row_without_a_time_leaves_those_around_it_together() -> None:
    rows = [_usual(number) for number in range(64)]
    rows[17][COLUMN_NAMES.index(TIME_COLUMN)] = "never"
    items = list(finished(CellReader(), [(row, number) for number, row in enumerate(rows)], bad_line))
    counts = [1 if isinstance(item, BadLine) else len(item) for item in items]
    assert sum(counts) == 64
    assert max(counts) == 32
    assert [item.number for item in items if isinstance(item, BadLine)] == [17]


def test_one_cell_of_a_column_that_cannot_be_read_is_counted_once() -> None:
    rows = [_usual(number) for number in range(20)]
    rows[3][COLUMN_NAMES.index("RemotePort")] = "https"
    cells = CellReader()
    read: list[Row] | None = cells.finish_together(rows)
    assert read is not None
    assert cells.unread == {"RemotePort": 1}
    assert [row[COLUMN_NAMES.index("RemotePort")] for row in read] == ["443"] * 3 + [""] + ["443"] * 16


def _usual(number: int) -> Cells:
    return [number if name == "ReportId" else USUAL.get(name) for name in COLUMN_NAMES]
