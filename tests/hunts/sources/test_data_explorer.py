"""Against a real `duckdb-kql serve` in a process of its own, which speaks Data Explorer's REST API."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from hunts.kql.files import parse_file
from hunts.kql.footprint import Query, seed_query
from hunts.kql.plan import plan_query, read_plan
from hunts.kql.window import Window
from hunts.sources.base import Step
from hunts.sources.errors import Refused, Rejected
from hunts.sources.open import open_source
from hunts.sources.remote import RemoteAdapter
from tests.hunts.parquet import NOON, recorded, write_parquet
from tests.hunts.sources.conftest import OpenLab
from tests.hunts.sources.remote import DAY, SECONDS, ask, at_noon, open_kind, question, rows_of

ROWS = [
    recorded("A.exe", "192.0.2.1", "x.example", RemotePort=443, DeviceId="d1", DeviceName="pc-1"),
    recorded("a.exe", "192.0.2.1", "x.example", NOON + timedelta(hours=1), RemotePort=80, DeviceId="d2"),
    recorded("a.exe", "192.0.2.2", at=NOON - timedelta(days=3)),
    recorded('o"h\\.exe', "192.0.2.3"),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("explorer")
    database = folder / "security.duckdb"
    parquet = write_parquet(folder / "events.parquet", ROWS)
    with duckdb.connect(database) as connection:
        connection.execute(
            "CREATE TABLE DeviceNetworkEvents AS SELECT * EXCLUDE (FileKey)"
            f" RENAME (TimeGenerated AS \"Timestamp\") FROM read_parquet('{parquet}')"
        )
    with _served(database, folder) as process:
        yield _address(process)


def _served(database: Path, folder: Path) -> subprocess.Popen[str]:
    program = Path(sys.executable).parent / "duckdb-kql"
    return _Served(
        [str(program), "serve", str(database), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        # Otherwise the line with the address stays in its buffer.
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


class _Served(subprocess.Popen[str]):
    def __exit__(self, *raised: object) -> None:
        self.kill()
        self.communicate(timeout=30)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if "http://" in line:
            return "http://" + line.split("http://")[1].split()[0].rstrip("/.,")
    raise AssertionError("duckdb-kql serve did not say where it listens.")


def adapter_at(address: str, **options: str) -> RemoteAdapter:
    return open_source(
        "data_explorer",
        {"endpoint": address, "database": "security", **options},
        "token:LAB_TOKEN",
        environment={"LAB_TOKEN": "lab"},
        allow_http=True,
        clock=at_noon,
    )


def test_the_rich_question_is_answered(engine: str) -> None:
    (row,) = rows_of(ask(adapter_at(engine)))
    assert (row.file, row.ip, row.dns, row.events, row.devices) == ("a.exe", "192.0.2.1", "x.example", 2, 2)
    assert (row.first_seen, row.last_seen, row.active_hours) == (NOON, NOON + timedelta(hours=1), 2)
    assert (row.ports, row.device_names) == ([80, 443], ["pc-1"])


def test_a_name_with_a_quote_and_a_backslash_is_found(engine: str) -> None:
    adapter = adapter_at(engine)
    answer = adapter.ask(question(adapter, 'o"h\\.exe'), DAY, timeout=SECONDS)
    assert [row.ip for row in rows_of(answer)] == ["192.0.2.3"]


def test_the_plan_can_be_read(engine: str) -> None:
    adapter = adapter_at(engine)
    window = Window(NOON - timedelta(days=5), NOON + timedelta(days=1))
    answer = adapter.ask(plan_query([parse_file("a.exe")], window, adapter.dialect), window, timeout=SECONDS)
    assert [(each.rows, each.groups, each.recorded) for each in read_plan(answer.rows)] == [
        (1, 1, 1),
        (2, 1, 3),
    ]


def test_the_window_goes_into_a_query_that_has_none(engine: str) -> None:
    answer = adapter_at(engine).ask(seed_query("a.exe"), DAY, timeout=SECONDS)
    assert list(answer.rows) == [("192.0.2.1", "x.example")]


def test_a_column_that_the_table_lacks_is_asked_for_as_empty_text(engine: str) -> None:
    (row,) = rows_of(ask(adapter_at(engine, lacks="DeviceName, InitiatingProcessSHA1")))
    assert row.device_names == []


def test_a_column_that_is_not_there_is_named(engine: str) -> None:
    with pytest.raises(Rejected) as caught:
        ask(adapter_at(engine, time_column="NoSuchTime"))
    assert str(caught.value) == "Data Explorer does not understand the question."
    assert "NoSuchTime" in caught.value.said


def test_a_query_it_cannot_parse_is_rejected(engine: str) -> None:
    with pytest.raises(Rejected) as caught:
        adapter_at(engine).ask(Query("DeviceNetworkEvents | | take 1", ()), Window(), timeout=SECONDS)
    assert "could not parse KQL" in caught.value.said


def test_an_unknown_database_is_refused(open_lab: OpenLab) -> None:
    with pytest.raises(Refused) as caught:
        ask(open_kind("data_explorer", open_lab(), database="other"))
    assert (
        caught.value.said == "BadRequest_EntityNotFound: Entity ID 'other' of kind 'Database' was not found."
    )


def test_the_probe_passes(engine: str) -> None:
    probe = adapter_at(engine).probe()
    assert [check.step for check in probe.checks] == list(Step)
    assert probe.passed
    assert probe.newest == NOON + timedelta(hours=1)
