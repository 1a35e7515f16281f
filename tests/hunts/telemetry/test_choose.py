from __future__ import annotations

from pathlib import Path

import pytest

from hunts.telemetry.errors import UnreadableFile
from hunts.telemetry.importing import import_files
from hunts.telemetry.store import Store
from tests.hunts.telemetry.exports import (
    json_line,
    reader_of,
    row,
    write_defender_csv,
    write_json_lines,
    write_log_analytics_csv,
    write_text,
)


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    assert reader_of(write_defender_csv(tmp_path / "a.jsonl", [row()])).title == "Defender portal CSV"
    assert reader_of(write_log_analytics_csv(tmp_path / "b.txt", [row()])).title == "Log Analytics portal CSV"
    assert reader_of(write_json_lines(tmp_path / "c.csv", [row()])).title == "streaming API JSON lines"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("\r\n \r\n", "is empty"),
        ("hello\nworld\n", "there is no column InitiatingProcessFileName"),
        ("Timestamp,InitiatingProcessFileName\n", "there is no column RemoteIP or RemoteUrl"),
        ("InitiatingProcessFileName,RemoteIP\n", "there is no column Timestamp or TimeGenerated"),
        ("Timestamp,InitiatingProcessFileName,RemoteIP,RemoteIP\n", "column RemoteIP is there twice"),
        ("TimeGenerated [Local Time],InitiatingProcessFileName,RemoteIP\n", "its times are in 'Local Time'"),
        ('{"a": 1}\n', "JSON, but no rows of DeviceNetworkEvents"),
        ("[1, 2]", "JSON, but no rows of DeviceNetworkEvents"),
        (json_line(row(), "AdvancedHunting-DeviceEvents"), "holds AdvancedHunting-DeviceEvents, not"),
        ('"' + "x" * 2_000_000, "the first line is no CSV header: longer than 1 MiB"),
        ("\0" * 100, "there is no column"),
    ],
)
def test_what_is_nothing_we_read_is_refused_with_the_reason(
    store: Store, tmp_path: Path, text: str, reason: str
) -> None:
    path = write_text(tmp_path / "export.csv", text)

    with pytest.raises(UnreadableFile, match=r"export\.csv") as caught:
        import_files(store, [path])

    assert reason in caught.value.refusals[0].reason


def test_utf16_is_refused_with_the_way_out(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes("Timestamp,RemoteIP".encode("utf-16"))

    with pytest.raises(UnreadableFile, match="UTF-16"):
        import_files(store, [path])


def test_a_missing_file_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        import_files(store, [tmp_path / "missing"])


def test_one_refused_file_keeps_all_files_out_and_each_refused_one_is_named(
    store: Store, tmp_path: Path
) -> None:
    good = write_json_lines(tmp_path / "good", [row()])
    bad, empty = write_text(tmp_path / "bad", "nothing"), write_text(tmp_path / "empty", "")

    with pytest.raises(UnreadableFile) as caught:
        import_files(store, [good, bad, empty])

    assert [refusal.path for refusal in caught.value.refusals] == [bad, empty]
    assert store.parquet_files() == ()


def test_a_header_without_rows_is_an_import_of_nothing(store: Store, tmp_path: Path) -> None:
    summary = import_files(
        store, [write_text(tmp_path / "x", "Timestamp,InitiatingProcessFileName,RemoteIP\n")]
    )

    assert (summary.rows_read, summary.days, store.days()) == (0, 0, {})
    assert len(store.imports()) == 1
