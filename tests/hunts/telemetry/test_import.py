from __future__ import annotations

import json
import threading
from datetime import date
from pathlib import Path

import duckdb
import pytest

from hunts.telemetry.columns import COLUMNS
from hunts.telemetry.errors import ImportFailed, StoreDamaged
from hunts.telemetry.importing import import_files
from hunts.telemetry.progress import ImportSummary, Phase, Progress
from hunts.telemetry.store import Store
from tests.hunts.telemetry.exports import (
    pairs,
    row,
    stored,
    write_defender_csv,
    write_json_lines,
    write_log_analytics_csv,
    write_text,
)


def test_an_absent_store_is_empty(store: Store) -> None:
    assert (store.parquet_files(), store.days(), store.imports()) == ((), {}, ())


def test_the_summary_counts_what_came(store: Store, tmp_path: Path) -> None:
    first = write_json_lines(
        tmp_path / "a", [row(), row(), row(ReportId=2, DeviceId="d2", InitiatingProcessFileName="A.EXE")]
    )
    second = write_json_lines(tmp_path / "b", [row(ReportId=3, Timestamp="2026-11-04T00:00:00Z"), {}])

    summary = import_files(store, [first, second])

    assert (summary.files, summary.rows_read, summary.new_rows, summary.doubles) == (2, 4, 3, 1)
    assert (summary.bad_lines, summary.devices, summary.names) == (1, 2, 1)
    assert (summary.days, summary.first_day, summary.last_day) == (2, date(2026, 11, 2), date(2026, 11, 4))
    assert store.days() == {date(2026, 11, 2): 2, date(2026, 11, 4): 1}


def test_the_manifest_remembers_what_was_imported(store: Store, tmp_path: Path) -> None:
    summary = import_files(store, [write_json_lines(tmp_path / "may.jsonl", [row()])])

    [record] = store.imports()
    assert (record.import_id, record.files, record.new_rows) == (summary.import_id, ("may.jsonl",), 1)


def test_rows_of_a_day_lie_in_its_folder_with_all_columns(store: Store, tmp_path: Path) -> None:
    summary = import_files(
        store, [write_json_lines(tmp_path / "x", [row(Timestamp="2026-11-02T23:59:59.9999999Z")])]
    )

    [path] = store.parquet_files()
    assert path == store.folder / "days" / "2026-11-02" / f"{summary.import_id}.parquet"
    with duckdb.connect() as connection:
        described = connection.execute("DESCRIBE FROM read_parquet(?)", [str(path)]).fetchall()
    assert {name: kind for name, kind, *_ in described} == COLUMNS


def test_the_same_event_in_two_files_and_two_imports_is_one(store: Store, tmp_path: Path) -> None:
    rows = [row(), row(ReportId=2)]
    lines = write_json_lines(tmp_path / "a", rows)
    table = write_log_analytics_csv(tmp_path / "b", rows)

    first = import_files(store, [lines, table])
    second = import_files(store, [table])

    assert (first.new_rows, first.doubles) == (2, 2)
    assert (second.new_rows, second.doubles) == (0, 2)
    assert len(stored(store)) == 2


def test_of_equal_events_the_first_one_stays(store: Store, tmp_path: Path) -> None:
    import_files(
        store, [write_json_lines(tmp_path / "a", [row(RemoteIP="192.0.2.1"), row(RemoteIP="192.0.2.2")])]
    )
    import_files(store, [write_json_lines(tmp_path / "b", [row(RemoteIP="192.0.2.3")])])

    assert stored(store, "RemoteIP") == [("192.0.2.1",)]


@pytest.mark.parametrize(
    "other", [{"DeviceId": "d2"}, {"ReportId": 2}, {"Timestamp": "2026-11-02T12:00:00.123457Z"}]
)
def test_events_that_differ_in_device_report_or_time_are_two(
    store: Store, tmp_path: Path, other: dict[str, object]
) -> None:
    import_files(store, [write_json_lines(tmp_path / "x", [row(), row(**other)])])

    assert len(stored(store)) == 2


def test_times_that_differ_in_the_seventh_decimal_only_are_equal(store: Store, tmp_path: Path) -> None:
    rows = [row(Timestamp=f"2026-11-02T12:00:00.123456{digit}Z") for digit in "19"]

    assert import_files(store, [write_json_lines(tmp_path / "x", rows)]).doubles == 1


def test_rows_without_a_report_id_are_doubles_only_when_all_columns_are_equal(
    store: Store, tmp_path: Path
) -> None:
    same, other = row(ReportId=None), row(ReportId=None, RemotePort=None)
    export = write_json_lines(tmp_path / "x", [same, other, same, other])

    first, second = import_files(store, [export]), import_files(store, [export])

    assert (first.new_rows, first.doubles) == (2, 2)
    assert (second.new_rows, second.doubles) == (0, 4)


def test_the_three_shapes_of_the_same_rows_give_the_same_pairs(tmp_path: Path) -> None:
    rows = [
        row(ReportId=number, RemoteIP=f"192.0.2.{number}", RemoteUrl=url)
        for number, url in enumerate(["", "x.test", "https://x.test/a,b", "X.TEST.", '"', "größe.test"])
    ]
    writers = (write_json_lines, write_defender_csv, write_log_analytics_csv)
    answers = []
    for number, write in enumerate(writers):
        store = Store(tmp_path / f"store{number}")
        import_files(store, [write(tmp_path / f"x{number}", rows)])
        answers.append(pairs(store))

    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]) == len(rows)


def test_rows_are_sorted_by_file_and_a_rare_name_is_in_one_row_group(store: Store, tmp_path: Path) -> None:
    rows = [
        row(ReportId=number, InitiatingProcessFileName=f"{'Mn'[number % 2]}.exe" if number != 7 else "b.EXE")
        for number in range(3_000)
    ]
    import_files(store, [write_json_lines(tmp_path / "x", rows)])

    [path] = store.parquet_files()
    with duckdb.connect() as connection:
        keys = connection.execute("SELECT FileKey FROM read_parquet(?)", [str(path)]).fetchall()
        groups = connection.execute(
            "SELECT stats_min_value, stats_max_value FROM parquet_metadata(?)"
            " WHERE path_in_schema = 'FileKey'",
            [str(path)],
        ).fetchall()
    assert keys == sorted(keys)
    assert len(groups) == 2
    assert [group for group in groups if group[0] <= "b.exe" <= group[1]] == [("b.exe", groups[0][1])]


def test_readers_keep_what_they_had_while_imports_go_on(store: Store, tmp_path: Path) -> None:
    import_files(store, [write_json_lines(tmp_path / "a", [row()])])
    before = store.parquet_files()

    import_files(store, [write_json_lines(tmp_path / "b", [row(ReportId=2)])])

    assert all(path.exists() for path in before)
    assert set(before) < set(store.parquet_files())


def test_two_imports_at_once_wait_for_each_other(store: Store, tmp_path: Path) -> None:
    exports = [write_json_lines(tmp_path / str(number), [row(), row(ReportId=number)]) for number in (2, 3)]
    first_reads, second_waits = threading.Event(), threading.Event()

    def first(progress: Progress) -> None:
        if progress.phase is Phase.READING:
            first_reads.set()
            assert second_waits.wait(20)

    def second(progress: Progress) -> None:
        if progress.phase is Phase.WAITING:
            second_waits.set()

    thread = threading.Thread(target=import_files, args=(store, exports[:1]), kwargs={"progress": first})
    thread.start()
    assert first_reads.wait(20)
    summary = import_files(store, exports[1:], progress=second)
    thread.join(20)

    assert (summary.new_rows, summary.doubles) == (1, 1)
    assert len(stored(store)) == 3


def test_progress_goes_through_the_phases_in_order(store: Store, tmp_path: Path) -> None:
    seen: list[Progress] = []

    import_files(store, [write_json_lines(tmp_path / "x", [row()])], progress=seen.append)

    phases = list(dict.fromkeys(progress.phase for progress in seen))
    assert phases == [
        Phase.CHECKING, Phase.WAITING, Phase.READING, Phase.SORTING, Phase.PUBLISHING, Phase.DONE,
    ]  # fmt: skip


def test_an_error_on_the_way_leaves_the_store_as_it_was(store: Store, tmp_path: Path) -> None:
    import_files(store, [write_json_lines(tmp_path / "a", [row()])])
    before = store.manifest()

    def fail(progress: Progress) -> None:
        if progress.phase is Phase.PUBLISHING and progress.done == progress.total:
            raise OSError("No space left on device")

    with pytest.raises(ImportFailed, match="No space left"):
        import_files(store, [write_json_lines(tmp_path / "b", [row(ReportId=2)])], progress=fail)

    assert store.manifest() == before
    assert not list(store.staging_folder.iterdir())


def test_a_manifest_that_cannot_be_understood_is_said_so(store: Store) -> None:
    store.folder.mkdir()
    write_text(store.folder / "manifest.json", json.dumps({"version": 99}))

    with pytest.raises(StoreDamaged, match="version 99"):
        store.parquet_files()


def test_bad_lines_beyond_the_cap_are_counted_but_not_kept(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hunts.telemetry.bad_lines.KEPT", 3)
    export = write_defender_csv(tmp_path / "x", [row(Timestamp="never") for _ in range(5)])

    summary = import_files(store, [export])

    assert summary.bad_lines == 5
    assert len(store.bad_lines_of(summary.import_id).read_text().splitlines()) == 3


def test_a_folder_name_with_odd_characters_works(tmp_path: Path) -> None:
    store = Store(tmp_path / "it's [a] {b} *? 100%")
    export = write_json_lines(tmp_path / "x", [row()])

    import_files(store, [export])
    again = import_files(store, [export])

    assert (len(stored(store)), again.doubles) == (1, 1)


def test_a_store_that_lost_its_manifest_is_left_as_it_is(store: Store, tmp_path: Path) -> None:
    import_files(store, [write_json_lines(tmp_path / "x", [row()])])
    kept = store.parquet_files()
    (store.folder / "manifest.json").unlink()

    with pytest.raises(StoreDamaged, match=r"manifest\.json is missing"):
        import_files(store, [write_json_lines(tmp_path / "y", [row(ReportId=2)])])

    assert all(path.exists() for path in kept)


def test_paths_are_called_what_the_caller_calls_them(store: Store, tmp_path: Path) -> None:
    summary = import_files(store, [write_json_lines(tmp_path / "1", [row(), {}])], names=["may.jsonl"])

    [record] = store.imports()
    [bad_line] = store.bad_lines_of(summary.import_id).read_text().splitlines()
    assert (record.files, json.loads(bad_line)["file"]) == (("may.jsonl",), "may.jsonl")


def test_what_is_raised_before_publishing_leaves_nothing_visible(store: Store, tmp_path: Path) -> None:
    seen: list[ImportSummary] = []

    def stop(summary: ImportSummary) -> None:
        seen.append(summary)
        raise InterruptedError

    with pytest.raises(ImportFailed):
        import_files(store, [write_json_lines(tmp_path / "x", [row()])], before_publishing=stop)

    assert ([summary.new_rows for summary in seen], store.imports(), store.days()) == ([1], (), {})
