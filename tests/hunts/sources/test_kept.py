"""The database of a local source, kept from one question to the next."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from duckdb_kql import KqlError

from hunts.sources import kept
from hunts.sources.kept import KeptDatabase
from hunts.sources.local import LocalAdapter
from hunts.sources.locked import Limits, Visible, locked_database
from hunts.sources.translated import translated
from hunts.telemetry.store import Store
from tests.hunts.parquet import ALWAYS, pairs_of_seed, recorded, write_parquet
from tests.hunts.telemetry_lines import days_ago, event, fill

ROWS = "SELECT RemoteIP FROM DeviceNetworkEvents ORDER BY 1"


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return write_parquet(tmp_path / "first.parquet", [recorded("a.exe", "192.0.2.1")])


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return write_parquet(tmp_path / "second.parquet", [recorded("a.exe", "192.0.2.2")])


@pytest.fixture
def database(tmp_path: Path) -> KeptDatabase:
    return KeptDatabase(tmp_path, Limits())


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[duckdb.DuckDBPyConnection]:
    """Every database that was opened."""
    every: list[duckdb.DuckDBPyConnection] = []
    real = locked_database

    def noted(files: tuple[Path, ...], limits: Limits, scratch: Path) -> duckdb.DuckDBPyConnection:
        every.append(real(files, limits, scratch))
        return every[-1]

    monkeypatch.setattr(kept, "locked_database", noted)
    return every


def rows(database: KeptDatabase, *files: Path) -> list[str]:
    with database.connection(files, Visible(files, ALWAYS)) as connection:
        return [ip for (ip,) in connection.execute(ROWS).fetchall()]


def is_closed(database: duckdb.DuckDBPyConnection) -> bool:
    try:
        database.execute("SELECT 1")
    except duckdb.ConnectionException:
        return True
    return False


def test_questions_share_a_database_as_long_as_the_files_are_the_same(
    database: KeptDatabase, opened: list[duckdb.DuckDBPyConnection], first: Path, second: Path
) -> None:
    assert rows(database, first) == rows(database, first) == ["192.0.2.1"]
    assert len(opened) == 1
    assert rows(database, first, second) == ["192.0.2.1", "192.0.2.2"]
    assert [is_closed(each) for each in opened] == [True, False]


def test_a_question_sees_the_files_it_is_shown_and_no_other_question(
    database: KeptDatabase, first: Path, second: Path
) -> None:
    both = (first, second)
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(database.connection(both, Visible([path], ALWAYS))) for path in both
        )
        assert one.execute(ROWS).fetchall() == [("192.0.2.1",)]
        assert other.execute(ROWS).fetchall() == [("192.0.2.2",)]


def test_a_question_under_way_keeps_the_database_it_began_with(
    database: KeptDatabase, opened: list[duckdb.DuckDBPyConnection], first: Path, second: Path
) -> None:
    with database.connection([first], Visible([first], ALWAYS)) as connection:
        assert rows(database, second) == ["192.0.2.2"]
        assert connection.execute(ROWS).fetchall() == [("192.0.2.1",)]
        assert not is_closed(opened[0])
    assert [is_closed(each) for each in opened] == [True, False]


def test_a_database_that_failed_a_question_is_not_asked_again(
    database: KeptDatabase, opened: list[duckdb.DuckDBPyConnection], first: Path
) -> None:
    with (
        pytest.raises(duckdb.Error),
        database.connection([first], Visible([first], ALWAYS)) as connection,
    ):
        connection.execute("SELECT error('no')").fetchall()
    assert rows(database, first) == ["192.0.2.1"]
    assert [is_closed(each) for each in opened] == [True, False]


def test_a_database_is_not_kept_for_ever(
    database: KeptDatabase,
    opened: list[duckdb.DuckDBPyConnection],
    first: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows(database, first)
    monkeypatch.setattr(kept, "_KEPT_SECONDS", -1.0)
    rows(database, first)
    assert [is_closed(each) for each in opened] == [True, False]


@pytest.mark.parametrize(
    "statement",
    [
        "SET threads=8",
        "SET allowed_paths=['/']",
        "SELECT * FROM read_parquet('{other}')",
        "SELECT * FROM read_text('/etc/hostname')",
        "ATTACH '{other}.db'",
        "COPY (SELECT 1) TO '{other}.csv'",
        "INSTALL httpfs",
    ],
)
def test_a_question_can_do_nothing_but_ask(
    database: KeptDatabase, first: Path, second: Path, statement: str
) -> None:
    with (
        pytest.raises(duckdb.Error) as refused,
        database.connection([first], Visible([first], ALWAYS)) as connection,
    ):
        connection.execute(statement.format(other=second))
    # Tried in vain is not refused: a machine may have no network today.
    assert not isinstance(refused.value, duckdb.IOException | duckdb.HTTPException)


@pytest.mark.parametrize(
    "kql", [".create table T (a: string)", ".drop table DeviceNetworkEvents", ".set T <| print 1"]
)
def test_a_question_that_writes_is_not_translated(kql: str) -> None:
    with pytest.raises(KqlError):
        translated(kql)


def test_a_question_reckons_in_utc_and_lowers_ascii_letters_only(database: KeptDatabase, first: Path) -> None:
    with database.connection([first], Visible([first], ALWAYS)) as connection:
        found = connection.execute("SELECT current_setting('TimeZone'), lower('AÖ')").fetchall()
    assert found == [("UTC", "aÖ")]


def test_what_is_imported_or_removed_meanwhile_is_in_the_next_answer(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    adapter = LocalAdapter(store)
    assert pairs_of_seed(adapter, "a.exe") == set()
    fill(store, tmp_path, [event("a.exe", days_ago(1), "192.0.2.1")])
    assert pairs_of_seed(adapter, "a.exe") == {("192.0.2.1", "")}
    fill(store, tmp_path, [event("a.exe", days_ago(2), "192.0.2.2")])
    assert pairs_of_seed(adapter, "a.exe") == {("192.0.2.1", ""), ("192.0.2.2", "")}


def test_scratch_of_a_process_that_died_is_swept_and_that_of_others_is_not(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", grace=timedelta(hours=2))
    with store.writing():
        pass
    left, fresh = store.folder / "scratch-1-a", store.folder / "scratch-2-b"
    for folder in (left, fresh):
        folder.mkdir()
        (folder / "duckdb_temp_storage").touch()
    long_ago = time.time() - 3 * 3600
    os.utime(left, (long_ago, long_ago))
    with store.writing():
        pass
    assert (left.exists(), fresh.exists()) == (False, True)
