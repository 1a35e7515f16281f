from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from hunts.kql.cells import UnreadableCell, cut_set
from hunts.kql.footprint import COLUMNS
from hunts.kql.rows import MissingColumn, Row, read_row, read_rows

CELLS: dict[str, Any] = {
    "Day": datetime(2026, 11, 2),  # noqa: DTZ001  # DuckDB's times carry no zone
    "File": "A.EXE",
    "IP": "192.0.2.7",
    "DNS": "cdn.example",
    "FirstSeen": datetime(2026, 11, 2, 3, 4, 5, 6),  # noqa: DTZ001  # as above
    "LastSeen": "2026-11-02T05:00:00.1234567Z",
    "Events": 3,
    "ActiveHours": 2,
    "Devices": "1",
    "DeviceNames": '["b", "a", "b"]',
    "Ports": "[443, 80, null, 443]",
}


def row(**cells: Any) -> Row:
    merged = {**CELLS, **cells}
    return read_row([merged.get(name) for name in COLUMNS])


def test_a_row_is_read_into_its_types() -> None:
    read = row()
    assert (read.day, read.file, read.ip, read.dns) == (
        date(2026, 11, 2),
        "a.exe",
        "192.0.2.7",
        "cdn.example",
    )
    assert read.first_seen == datetime(2026, 11, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert read.last_seen == datetime(2026, 11, 2, 5, 0, 0, 123456, tzinfo=UTC)
    assert (read.events, read.active_hours, read.devices) == (3, 2, 1)
    assert read.device_names == ["a", "b"]
    assert read.ports == [80, 443]


def test_null_and_the_empty_string_are_the_same() -> None:
    assert row(IP=None, Accounts=None) == row(IP="", Accounts='["", null]')


@pytest.mark.parametrize("cell", [["x", "y"], '["y", "x"]', ("x", "y", "x")])
def test_a_set_may_come_as_text_or_as_a_list(cell: object) -> None:
    assert row(Actions=cell).actions == ["x", "y"]


@pytest.mark.parametrize("text", ["[broken", "null and void", '{"a": 1}', "7"])
def test_a_bare_value_is_a_set_of_one(text: str) -> None:
    assert row(CommandLines=text).command_lines == [text]


def test_an_overlong_set_is_cut_to_one_more_than_its_cap() -> None:
    assert len(row(Ports=list(range(1000))).ports) == 26
    assert len(row(Parents=[f"p{number}" for number in range(9)]).parents) == 6


def test_an_empty_string_in_a_full_set_does_not_hide_that_there_are_more() -> None:
    answered = ["", *(f"p{number}" for number in range(6))]
    assert len(row(Parents=answered).parents) == 6


def test_the_file_is_folded_as_ascii_only() -> None:
    assert row(File="\u212a.EXE").file == "\u212a.exe"


@pytest.mark.parametrize(
    "cells", [{"Day": None}, {"FirstSeen": "soon"}, {"Events": "many"}, {"Ports": '["x"]'}]
)
def test_what_cannot_be_a_row_is_refused(cells: dict[str, Any]) -> None:
    with pytest.raises(UnreadableCell):
        row(**cells)


def test_columns_may_come_in_any_order() -> None:
    columns = tuple(reversed(COLUMNS))
    (read,) = read_rows(columns, [[CELLS.get(name) for name in columns]])
    assert read == row()


def test_a_missing_column_is_named() -> None:
    with pytest.raises(MissingColumn, match="DNS"):
        list(read_rows([name for name in COLUMNS if name != "DNS"], []))


def test_rows_of_files_nobody_asked_for_are_left_out() -> None:
    cells = [[{**CELLS, "File": name}.get(column) for column in COLUMNS] for name in ("k.exe", "\u212a.exe")]
    assert [each.file for each in read_rows(COLUMNS, cells, {"k.exe"})] == ["k.exe"]


def test_cutting_a_set_keeps_its_kind_and_leaves_short_ones_alone() -> None:
    assert cut_set('["a,b,c", "d"]', 2) == '["a,b,c", "d"]'
    assert cut_set('["a", "b", "c"]', 2) == '["a", "b"]'
    assert cut_set(None, 2) is None
