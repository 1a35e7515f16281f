from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hunts.telemetry.errors import UnreadableFile
from hunts.telemetry.importing import import_files
from hunts.telemetry.lines import LINE_CAP
from hunts.telemetry.store import Store
from tests.hunts.telemetry.exports import bad_lines, json_line, pairs, reader_of, row, stored, write_text

Wrap = Callable[[list[dict[str, Any]]], object]
ROWS = [row(), row(ReportId=2, RemoteIP="192.0.2.2"), row(ReportId=3, RemoteUrl=None)]
PAIRS = {
    ("a.exe", "203.0.113.7", "www.example.test"),
    ("a.exe", "192.0.2.2", "www.example.test"),
    ("a.exe", "203.0.113.7", ""),
}


def envelope(properties: dict[str, Any]) -> dict[str, Any]:
    return {"category": "AdvancedHunting-DeviceNetworkEvents", "properties": properties}


WRAPPED: dict[str, Wrap] = {
    "a list": lambda rows: [envelope(each) for each in rows],
    "records": lambda rows: {"records": [envelope(each) for each in rows]},
    "records in a list": lambda rows: [{"records": [envelope(each)]} for each in rows],
    "body": lambda rows: [{"body": envelope(each), "x-opt-offset": "7"} for each in rows],
    "body as text": lambda rows: [{"body": json.dumps(envelope(each))} for each in rows],
    "records in body": lambda rows: {
        "body": {"records": [envelope(each) for each in rows]}, "systemProperties": {"a": [{}]},
    },
    "flat": lambda rows: [{"time": "…", "category": "DeviceNetworkEvents"} | each for each in rows],
    "Graph": lambda rows: {"schema": [{"name": "Timestamp", "type": "DateTime"}], "results": rows},
    "Defender's older answer": lambda rows: {"Stats": {"a": 1}, "Schema": [{"Name": "a"}], "Results": rows},
}  # fmt: skip


@pytest.mark.parametrize("indent", [None, 1], ids=["one line", "many lines"])
@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_what_is_put_around_events_is_taken_off(
    store: Store, tmp_path: Path, wrap: Wrap, indent: int | None
) -> None:
    export = write_text(tmp_path / "x", json.dumps(wrap(ROWS), indent=indent))

    summary = import_files(store, [export])

    assert pairs(store) == PAIRS
    assert (summary.rows_read, summary.bad_lines, summary.other_rows) == (3, 0, 0)


@pytest.mark.parametrize("name", ["records", "body", "records in body", "flat"])
def test_events_with_something_around_them_come_one_a_line_too(
    store: Store, tmp_path: Path, name: str
) -> None:
    lines = "".join(json.dumps(WRAPPED[name]([each])) + "\n" for each in ROWS)

    summary = import_files(store, [write_text(tmp_path / "x", lines)])

    assert pairs(store) == PAIRS
    assert (summary.rows_read, summary.bad_lines) == (3, 0)


def test_objects_printed_over_many_lines_may_follow_each_other(store: Store, tmp_path: Path) -> None:
    text = "\n".join(json.dumps(envelope(each), indent=2) for each in ROWS)

    import_files(store, [write_text(tmp_path / "x", text)])

    assert pairs(store) == PAIRS


def test_a_document_larger_than_a_line_may_be_is_read(store: Store, tmp_path: Path) -> None:
    filler = '\\"{[' * 2_000
    rows = [row(ReportId=number, AdditionalFields=filler) for number in range(LINE_CAP // 4_000)]
    text = json.dumps({"schema": [], "results": rows})
    assert len(text) > 2 * LINE_CAP

    summary = import_files(store, [write_text(tmp_path / "x", text)])

    assert (summary.new_rows, summary.bad_lines) == (len(rows), 0)
    assert {fields for (fields,) in stored(store, "AdditionalFields")} == {filler}


def test_of_a_broken_document_the_other_events_are_kept(store: Store, tmp_path: Path) -> None:
    first, second, third = (json.dumps(envelope(each)) for each in ROWS)
    text = f'{{"records": [\n{first},\n{second[:-9]},\n{third}\n]}}'

    summary = import_files(store, [write_text(tmp_path / "x", text)])

    assert {ip for _, ip, _ in pairs(store)} == {"203.0.113.7"}
    assert summary.new_rows >= 1
    assert bad_lines(store, summary)[0]["line"] == 3


def test_a_document_that_ends_in_the_middle_gives_what_came_before(store: Store, tmp_path: Path) -> None:
    text = json.dumps({"results": ROWS})
    export = write_text(tmp_path / "x", text[: text.rindex("ReportId")])

    summary = import_files(store, [export])

    assert summary.new_rows == 2
    assert "ends in the middle" in bad_lines(store, summary)[0]["reason"]


def test_an_event_longer_than_a_line_may_be_is_put_aside(store: Store, tmp_path: Path) -> None:
    long = row(ReportId=9, AdditionalFields="x" * 3 * LINE_CAP)
    texts = [row(ReportId=8, AdditionalFields={str(n): "y" * 9_000 for n in range(200)}), *ROWS]
    text = json.dumps({"results": texts}) + "\n" + json.dumps({"results": [long]}) + "\n"

    summary = import_files(store, [write_text(tmp_path / "x", text)])

    assert summary.new_rows == 3
    assert {line["reason"] for line in bad_lines(store, summary)} >= {"longer than 1 MiB"}


def test_several_shapes_in_one_file_are_all_read(store: Store, tmp_path: Path) -> None:
    sysmon = {"EventID": 22, "Channel": "Microsoft-Windows-Sysmon/Operational", "Hostname": "H",
              "UtcTime": "2026-11-02 12:00:00.1", "Image": "C:\\a\\B.exe", "QueryName": "x.test"}  # fmt: skip
    lines = [
        json_line(row()),
        json.dumps(sysmon),
        json.dumps(row(ReportId=5)),
        "Timestamp,RemoteIP",
        '{"a": 1}',
    ]

    summary = import_files(store, [write_text(tmp_path / "x", "\n".join(lines))])

    assert (summary.rows_read, summary.bad_lines) == (3, 2)
    assert ("b.exe", "", "x.test") in pairs(store)
    assert [line["line"] for line in bad_lines(store, summary)] == [4, 5]


def test_a_table_named_in_the_row_counts(store: Store, tmp_path: Path) -> None:
    lines = [json.dumps(row(Type="DeviceNetworkEvents")), json.dumps(row(Type="DeviceEvents"))]

    summary = import_files(store, [write_text(tmp_path / "x", "\n".join(lines))])

    assert (summary.rows_read, summary.other_rows) == (1, 1)


def test_a_long_file_of_other_tables_is_read_on(store: Store, tmp_path: Path) -> None:
    other = json_line(row(AdditionalFields="x" * 900_000), "AdvancedHunting-DeviceEvents")
    export = write_text(tmp_path / "x", "\n".join([*[other] * 6, json_line(row())]))

    summary = import_files(store, [export])

    assert (summary.rows_read, summary.other_rows) == (1, 6)


def test_csv_named_json_is_read_as_csv(tmp_path: Path) -> None:
    export = write_text(tmp_path / "x.json", "Timestamp,InitiatingProcessFileName,RemoteIP\n")
    assert reader_of(export).title == "Defender portal CSV"


def test_tables_put_behind_each_other_each_count_with_their_own_header(store: Store, tmp_path: Path) -> None:
    first = "Timestamp,InitiatingProcessFileName,RemoteIP\n2026-11-02T12:00:00Z,a.exe,192.0.2.1\n"
    second = "Timestamp,RemoteIP,InitiatingProcessFileName\n2026-11-02T12:00:00Z,192.0.2.2,b.exe\n"
    wider = f"RemoteUrl,{second.partition(chr(10))[0]}\nx.test,2026-11-02T12:00:00Z,192.0.2.3,c.exe\n"

    summary = import_files(store, [write_text(tmp_path / "x", first + second + first + wider)])

    assert summary.bad_lines == 0
    assert pairs(store) == {
        ("a.exe", "192.0.2.1", ""), ("b.exe", "192.0.2.2", ""), ("c.exe", "192.0.2.3", "x.test"),
    }  # fmt: skip


@pytest.mark.parametrize("between", ["\n", ",\n"], ids=["lines", "a document"])
def test_an_event_nested_without_end_is_put_aside_and_the_others_are_kept(
    store: Store, tmp_path: Path, between: str
) -> None:
    deep = json_line(row(ReportId=9, AdditionalFields="DEEP")).replace(
        '"DEEP"', "[" * 200_000 + "]" * 200_000
    )
    text = between.join((json_line(row()), deep, json_line(row(ReportId=2, RemoteIP="192.0.2.2"))))
    export = write_text(tmp_path / "x", text + "\n" if between == "\n" else f"[{text}]")

    summary = import_files(store, [export])

    assert (summary.rows_read, summary.bad_lines) == (2, 1)
    assert "JSON" in bad_lines(store, summary)[0]["reason"]


@pytest.mark.parametrize("deep", ["[" * 200_000 + "]" * 200_000, '{"a":' * 200_000 + "1" + "}" * 200_000])
def test_a_file_that_is_nothing_but_nesting_is_refused(store: Store, tmp_path: Path, deep: str) -> None:
    with pytest.raises(UnreadableFile, match="x"):
        import_files(store, [write_text(tmp_path / "x", deep)])
    assert store.imports() == ()
