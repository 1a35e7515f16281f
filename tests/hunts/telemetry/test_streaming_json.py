from __future__ import annotations

import codecs
import json
from pathlib import Path

import pytest

from hunts.telemetry.importing import import_files
from hunts.telemetry.store import Store
from tests.hunts.telemetry.exports import json_line, pairs, row, stored, write_json_lines, write_text


def test_json_lines_are_read(store: Store, tmp_path: Path) -> None:
    import_files(store, [write_json_lines(tmp_path / "x", [row()])])

    [(time, key, ip, url, port, report)] = stored(
        store, "TimeGenerated", "FileKey", "RemoteIP", "RemoteUrl", "RemotePort", "ReportId"
    )
    assert str(time) == "2026-11-02 12:00:00.123456"
    assert (key, ip, url, port, report) == ("a.exe", "203.0.113.7", "www.example.test", 443, 1)


def test_null_is_empty_text_and_the_text_null_stays(store: Store, tmp_path: Path) -> None:
    rows = [row(RemoteUrl=None), row(ReportId=2, RemoteUrl=""), row(ReportId=3, RemoteUrl="null")]

    import_files(store, [write_json_lines(tmp_path / "x", rows)])

    assert stored(store, "RemoteUrl") == [("",), ("",), ("null",)]


def test_null_numbers_and_times_stay_unknown(store: Store, tmp_path: Path) -> None:
    nulls = {"RemotePort": None, "InitiatingProcessCreationTime": None}
    import_files(store, [write_json_lines(tmp_path / "x", [row(**nulls)])])

    assert stored(store, "RemotePort", "InitiatingProcessCreationTime") == [(None, None)]


def test_additional_fields_may_be_an_object_or_text(store: Store, tmp_path: Path) -> None:
    rows = [row(AdditionalFields={"a": ["ö", 1]}), row(ReportId=2, AdditionalFields='{"b": 2}')]

    import_files(store, [write_json_lines(tmp_path / "x", rows)])

    assert stored(store, "AdditionalFields") == [('{"a":["ö",1]}',), ('{"b": 2}',)]


def test_a_report_id_beyond_32_bits_is_kept(store: Store, tmp_path: Path) -> None:
    import_files(store, [write_json_lines(tmp_path / "x", [row(ReportId=18_984_951_960)])])

    assert stored(store, "ReportId") == [(18_984_951_960,)]


def test_a_truth_value_is_kept(store: Store, tmp_path: Path) -> None:
    import_files(store, [write_json_lines(tmp_path / "x", [row(IsInitiatingProcessRemoteSession=False)])])

    assert stored(store, "IsInitiatingProcessRemoteSession") == [(False,)]


def test_control_characters_survive_the_staging(store: Store, tmp_path: Path) -> None:
    odd = "\x1e\x1f\r\n\0\"',\\\u2028"
    import_files(store, [write_json_lines(tmp_path / "x", [row(RemoteUrl=odd)])])

    assert pairs(store) == {("a.exe", "203.0.113.7", odd)}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "no JSON object"),
        ('{"properties": 7}', "neither a row of DeviceNetworkEvents nor a Sysmon event"),
        ('{"properties": {"RemoteIP": NaN}}', "not JSON"),
        ("[" * 100_000, "not JSON: recursion limit"),
        (json_line(row(RemoteUrl="\ud800")), "not JSON"),
        (json_line(row(Timestamp=None)), "no time"),
        (json_line(row(Timestamp=1656654157)), "no time"),
    ],
)
def test_a_line_that_cannot_be_read_is_put_aside(
    store: Store, tmp_path: Path, text: str, reason: str
) -> None:
    export = write_text(tmp_path / "x", json_line(row()) + "\n" + text + "\n\n" + json_line(row(ReportId=2)))

    summary = import_files(store, [export])

    assert (summary.new_rows, summary.bad_lines) == (2, 1)
    [kept] = store.bad_lines_of(summary.import_id).read_text().splitlines()
    assert json.loads(kept)["line"] == 2
    assert reason in json.loads(kept)["reason"]


def test_rows_of_other_tables_are_left_out_and_counted(store: Store, tmp_path: Path) -> None:
    other = json_line(row(), category="AdvancedHunting-DeviceProcessEvents")

    summary = import_files(store, [write_text(tmp_path / "x", f"{other}\n{json_line(row())}\n{other}\n")])

    assert (summary.new_rows, summary.other_rows, summary.bad_lines) == (1, 2, 0)


def test_a_byte_order_mark_in_front_is_passed_over(store: Store, tmp_path: Path) -> None:
    export = tmp_path / "x"
    export.write_bytes(codecs.BOM_UTF8 + (json_line(row()) + "\r\n").encode())

    summary = import_files(store, [export])

    assert (summary.new_rows, summary.bad_lines) == (1, 0)


def test_bytes_that_are_no_utf8_cost_their_line_only(store: Store, tmp_path: Path) -> None:
    lines = [json_line(row(ReportId=number, RemoteUrl="caf_.test")).encode() for number in range(3)]
    export = tmp_path / "x"
    export.write_bytes(b"\n".join([lines[0], lines[1].replace(b"caf_", b"caf\xe9"), lines[2]]))

    summary = import_files(store, [export])

    assert sorted(stored(store, "ReportId")) == [(0,), (2,)]
    [kept] = store.bad_lines_of(summary.import_id).read_text().splitlines()
    assert (json.loads(kept)["line"], json.loads(kept)["reason"].startswith("not ")) == (2, True)


def test_of_a_column_that_an_event_has_twice_the_last_one_counts(store: Store, tmp_path: Path) -> None:
    """As every reader of JSON has it; a table says it once for all rows and is refused."""
    twice = json_line(row(RemoteIP="192.0.2.1")).replace('"RemoteIP"', '"RemoteIP": "192.0.2.2", "RemoteIP"')

    import_files(store, [write_text(tmp_path / "x", twice)])

    assert stored(store, "RemoteIP") == [("192.0.2.1",)]
