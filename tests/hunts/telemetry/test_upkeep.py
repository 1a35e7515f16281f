from __future__ import annotations

import json
import tempfile
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hunts.telemetry.columns import COLUMNS, RECORDED
from hunts.telemetry.errors import ChangeFailed, UnknownImport
from hunts.telemetry.holdings import NameRows, disk_used, names_by_rows, newest_event, rows_by_import
from hunts.telemetry.importing import import_files
from hunts.telemetry.progress import Phase, Progress
from hunts.telemetry.store import Store
from hunts.telemetry.upkeep import compact, keep_days, remove_import
from tests.hunts.telemetry.exports import row, stored, write_json_lines

A, B, C = row(ReportId=1), row(ReportId=2), row(ReportId=3)


@pytest.fixture
def bring(store: Store, tmp_path: Path) -> Any:
    def bring(*rows: dict[str, Any]) -> str:
        return import_files(store, [write_json_lines(tmp_path / "x", rows)]).import_id

    return bring


def reports(store: Store) -> list[int]:
    return [report for (report,) in stored(store, "ReportId")]


def test_an_import_is_removed_with_its_rows_and_no_others(store: Store, bring: Any) -> None:
    bring(A)
    second = bring(B, C)

    removal = remove_import(store, second)

    assert reports(store) == [1]
    assert (removal.rows, removal.readmitted, removal.days) == (2, 0, 1)
    assert [record.new_rows for record in store.imports()] == [1]


def test_a_row_that_a_later_import_had_too_is_still_there(store: Store, bring: Any) -> None:
    first = bring(A | {"RemoteIP": "192.0.2.1"}, B)
    bring(A | {"RemoteIP": "192.0.2.2"}, C)

    removal = remove_import(store, first)

    assert stored(store, "ReportId", "RemoteIP") == [(1, "192.0.2.2"), (3, "203.0.113.7")]
    assert (removal.rows, removal.readmitted) == (2, 1)


def test_a_row_that_an_earlier_import_had_too_is_still_there(store: Store, bring: Any) -> None:
    bring(A | {"RemoteIP": "192.0.2.1"})
    second = bring(A | {"RemoteIP": "192.0.2.2"}, B)

    remove_import(store, second)

    assert stored(store, "ReportId", "RemoteIP") == [(1, "192.0.2.1")]


def test_of_several_the_earliest_that_is_left_stands_in(store: Store, bring: Any) -> None:
    first, second, third = (bring(A | {"RemoteIP": f"192.0.2.{number}"}) for number in (1, 2, 3))

    remove_import(store, first)
    assert stored(store, "RemoteIP") == [("192.0.2.2",)]
    remove_import(store, second)
    assert stored(store, "RemoteIP") == [("192.0.2.3",)]
    remove_import(store, third)
    assert stored(store) == []
    assert store.days() == {}


def test_rows_without_a_report_id_are_told_apart_by_all_columns(store: Store, bring: Any) -> None:
    first = bring(row(ReportId=None), row(ReportId=None, RemotePort=None))
    bring(row(ReportId=None, RemotePort=None), row(ReportId=None, RemotePort=80))

    remove_import(store, first)

    assert stored(store, "RemotePort") == [(80,), (None,)]


def test_an_import_is_removed_out_of_a_compacted_day(store: Store, bring: Any) -> None:
    bring(A)
    second = bring(B)
    bring(B, C)
    compact(store)

    remove_import(store, second)

    assert reports(store) == [1, 2, 3]
    remove_import(store, store.imports()[1].import_id)
    assert reports(store) == [1]


def test_an_unknown_import_is_said_so(store: Store, bring: Any) -> None:
    bring(A)
    with pytest.raises(UnknownImport):
        remove_import(store, "20260101T000000Z-00000000")


def test_the_bad_lines_of_a_removed_import_go_with_it(store: Store, bring: Any) -> None:
    gone = bring(A, {})
    assert store.bad_lines_of(gone).exists()

    remove_import(store, gone)

    assert not store.bad_lines_of(gone).exists()


def test_a_removed_import_can_be_made_again(store: Store, bring: Any) -> None:
    remove_import(store, bring(A))
    bring(A)
    assert reports(store) == [1]


def test_many_imports_of_a_day_become_one_sorted_file(store: Store, bring: Any) -> None:
    for number in range(5):
        bring(row(ReportId=number, InitiatingProcessFileName=f"{9 - number}.exe"), row(ReportId=99))
    before = stored(store)

    done = compact(store)

    assert (done.days, done.files_before, done.files_after) == (1, 9, 2)
    [path] = store.parquet_files()
    assert stored(store) == before
    with duckdb.connect() as connection:
        keys = connection.execute("SELECT FileKey FROM read_parquet(?)", [str(path)]).fetchall()
    assert keys == sorted(keys)
    assert compact(store).days == 0


def test_days_with_few_files_are_left_alone(store: Store, bring: Any) -> None:
    bring(A)
    bring(B)
    assert compact(store, min_files=3).days == 0


def test_compacted_files_have_the_columns_of_the_others(store: Store, bring: Any) -> None:
    bring(A)
    bring(B)
    compact(store)
    bring(C)

    assert len(store.parquet_files()) == 2
    assert len(stored(store, *COLUMNS)) == 3


def test_readers_keep_what_they_had_while_days_are_rewritten(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", grace=timedelta(hours=1))
    imports = [
        import_files(store, [write_json_lines(tmp_path / "x", [row(ReportId=number)])]).import_id
        for number in range(2)
    ]
    before = store.parquet_files()

    compact(store)
    remove_import(store, imports[0])
    compact(store)

    assert all(path.exists() for path in before)
    assert not set(before) & set(store.parquet_files())
    assert disk_used(store) > sum(path.stat().st_size for path in store.parquet_files())


def test_retired_files_go_when_nobody_can_have_them(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", grace=timedelta(0))
    for number in range(2):
        import_files(store, [write_json_lines(tmp_path / "x", [row(ReportId=number)])])
    before = store.parquet_files()
    compact(store)

    compact(store)

    assert not any(path.exists() for path in before)
    assert store.manifest().retired == ()


def test_a_reader_in_the_middle_of_a_compaction_sees_every_row_once(store: Store, tmp_path: Path) -> None:
    for number in range(3):
        rows = [row(ReportId=number, Timestamp=f"2026-11-0{day}T12:00:00Z") for day in (2, 3)]
        import_files(store, [write_json_lines(tmp_path / "x", rows)])
    counts: set[int] = set()

    compact(store, progress=lambda _: counts.add(len(stored(store))))

    assert counts == {6}


def test_days_that_are_not_kept_are_as_if_never_imported(store: Store, bring: Any) -> None:
    bring(*(row(ReportId=day, Timestamp=f"2026-11-{day:02}T12:00:00Z") for day in (1, 2, 3)))
    bring(row(ReportId=1, Timestamp="2026-11-01T12:00:00Z"))

    done = keep_days(store, 2, today=date(2026, 11, 3))

    assert (done.days, done.rows) == (1, 1)
    assert store.days() == {date(2026, 11, 2): 1, date(2026, 11, 3): 1}
    assert {file.day for file in store.manifest().files} == {date(2026, 11, 2), date(2026, 11, 3)}


def test_what_is_imported_later_is_kept_as_long_only(store: Store, tmp_path: Path) -> None:
    keep_days(store, 2)
    today = datetime.now(UTC).replace(tzinfo=None)
    rows = [row(ReportId=n, Timestamp=(today - timedelta(days=n)).isoformat()) for n in (0, 1, 2, 40)]

    summary = import_files(store, [write_json_lines(tmp_path / "x", rows)])

    assert (summary.new_rows, summary.too_old, summary.doubles) == (2, 2, 0)
    assert len(store.days()) == 2


def test_days_can_be_kept_for_ever_again(store: Store, bring: Any) -> None:
    keep_days(store, 1)
    keep_days(store, None)
    bring(A)
    assert reports(store) == [1]


def test_what_a_store_holds_is_told(store: Store, bring: Any) -> None:
    first = bring(
        A, B, row(ReportId=4, InitiatingProcessFileName="B.EXE", Timestamp="2026-11-05T01:02:03.4Z")
    )
    second = bring(A, row(ReportId=5, InitiatingProcessFileName="b.exe"))

    a, b = NameRows("a.exe", 2), NameRows("b.exe", 2)
    assert names_by_rows(store) == ([a, b], 2)
    assert names_by_rows(store, 1) == ([a], 2)
    assert names_by_rows(store, 1, skip=1) == ([b], 2)
    assert names_by_rows(store, containing="B.") == ([b], 1)
    assert newest_event(store) == datetime(2026, 11, 5, 1, 2, 3, 400_000, tzinfo=UTC)
    assert rows_by_import(store) == {first: 3, second: 1}
    files = [*store.folder.glob("days/*/*"), *store.folder.glob("doubles/*/*")]
    assert disk_used(store) == sum(path.stat().st_size for path in files)


def test_an_empty_store_holds_nothing(store: Store) -> None:
    assert (names_by_rows(store), newest_event(store), rows_by_import(store), disk_used(store)) == (
        ([], 0),
        None,
        {},
        0,
    )


def test_an_error_on_the_way_leaves_the_store_as_it_was(store: Store, bring: Any) -> None:
    first = bring(A)
    bring(A, B)
    before = store.manifest()

    def fail(progress: Progress) -> None:
        if progress.phase is Phase.PUBLISHING:
            raise OSError("No space left on device")

    for change in (lambda: remove_import(store, first, progress=fail), lambda: compact(store, progress=fail)):
        with pytest.raises(ChangeFailed, match="No space left"):
            change()
    assert store.manifest() == before
    assert reports(store) == [1, 2]


def test_changes_wait_for_an_import(store: Store, tmp_path: Path, bring: Any) -> None:
    first = bring(A)
    reading, removed = threading.Event(), threading.Event()

    def tell(progress: Progress) -> None:
        if progress.phase is Phase.READING:
            reading.set()
            assert not removed.wait(0.2)

    export = write_json_lines(tmp_path / "y", [B])
    thread = threading.Thread(target=import_files, args=(store, [export]), kwargs={"progress": tell})
    thread.start()
    assert reading.wait(20)
    remove_import(store, first)
    removed.set()
    thread.join(20)

    assert reports(store) == [2]


def test_a_store_of_the_first_version_is_read_and_changed(store: Store, bring: Any) -> None:
    first = bring(A)
    bring(B)
    path = store.folder / "manifest.json"
    value = json.loads(path.read_text())
    old = {
        "version": 1,
        "imports": [{k: v for k, v in record.items() if k != "number"} for record in value["imports"]],
        "files": [
            {"day": file["day"], "import_id": file["name"], "rows": 1, "bytes": file["bytes"]}
            for file in value["files"]
        ],
    }
    path.write_text(json.dumps(old))

    assert reports(store) == [1, 2]
    bring(C)
    compact(store)
    remove_import(store, first)
    assert reports(store) == [2, 3]


events = st.builds(
    lambda report, day, name, port: row(
        ReportId=report,
        Timestamp=f"2026-11-0{day}T12:00:00Z",
        InitiatingProcessFileName=name,
        RemotePort=port,
    ),
    st.sampled_from([None, 1, 2, 3]),
    st.integers(1, 2),
    st.sampled_from(["a.exe", "B.exe"]),
    st.sampled_from([None, 80, 443]),
)
steps = st.lists(
    st.one_of(
        st.lists(events, min_size=1, max_size=5),
        st.tuples(st.just("remove"), st.integers(0, 5)),
        st.just("compact"),
    ),
    min_size=2,
    max_size=7,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_a_store_is_what_its_remaining_imports_alone_would_make(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, alone = Store(Path(folder) / "store"), Store(Path(folder) / "alone")
        made: dict[str, Path] = {}
        for number, step in enumerate(steps):
            if step == "compact":
                compact(store)
            elif isinstance(step, tuple):
                if made:
                    gone = sorted(made)[step[1] % len(made)]
                    remove_import(store, gone)
                    del made[gone]
            else:
                export = write_json_lines(Path(folder) / str(number), step)
                made[import_files(store, [export]).import_id] = export
        for record in store.imports():
            import_files(alone, [made[record.import_id]])

        assert stored(store, *RECORDED) == stored(alone, *RECORDED)
        assert store.days() == alone.days()
        assert doubles_in(store) == doubles_in(alone)


def doubles_in(store: Store) -> int:
    return sum(file.rows for file in store.manifest().files if file.doubles)
