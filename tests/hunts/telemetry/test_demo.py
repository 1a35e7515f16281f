from __future__ import annotations

import json
import string
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hunts.telemetry.demo.telemetry import demo_lines
from hunts.telemetry.importing import import_files
from hunts.telemetry.names import file_key
from hunts.telemetry.store import Store

END = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
COUNT = 12_000
Properties = dict[str, object]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return list(demo_lines(seed=7, count=COUNT, end=END))


@pytest.fixture(scope="module")
def rows(lines: list[str]) -> list[Properties]:
    return [json.loads(line)["properties"] for line in lines]


def test_the_same_seed_gives_the_same_lines(lines: list[str]) -> None:
    assert list(demo_lines(seed=7, count=COUNT, end=END)) == lines
    assert list(demo_lines(seed=8, count=COUNT, end=END)) != lines


def test_there_are_as_many_lines_as_asked_for(lines: list[str]) -> None:
    assert len(lines) == COUNT
    assert len(list(demo_lines(seed=7, count=10, end=END))) == 10


def test_all_times_lie_in_the_last_thirty_days(rows: list[Properties]) -> None:
    times = [datetime.fromisoformat(str(row["Timestamp"])) for row in rows]
    assert END - timedelta(days=30) <= min(times)
    assert max(times) <= END


def test_it_imports_without_a_bad_line(lines: list[str], tmp_path: Path) -> None:
    path = tmp_path / "demo.jsonl"
    path.write_text("".join(lines), encoding="utf-8")

    summary = import_files(Store(tmp_path / "store"), [path])

    assert (summary.bad_lines, summary.unread_cells, summary.rows_read) == (0, {}, COUNT)
    assert 0 < summary.doubles < COUNT * 0.03
    assert summary.days in (30, 31)


def test_names_differ_in_the_case_of_ascii_letters_only(rows: list[Properties]) -> None:
    names = {str(row["InitiatingProcessFileName"]) for row in rows if row["InitiatingProcessFileName"]}
    spelled = defaultdict(set)
    for name in names:
        spelled[file_key(name)].add(name)
    assert any(len(spellings) > 1 for spellings in spelled.values())
    for spellings in spelled.values():
        others = {"".join(c for c in name if c not in string.ascii_letters) for name in spellings}
        assert len(others) == 1


def test_the_beacon_is_on_few_machines_with_one_name_and_two_addresses(rows: list[Properties]) -> None:
    beacon = [row for row in rows if row["InitiatingProcessFileName"] == "syncsvc.exe"]
    assert len({row["DeviceId"] for row in beacon}) <= 4
    assert len({row["RemoteUrl"] for row in beacon} - {None}) == 1
    assert len({row["RemoteIP"] for row in beacon} - {None}) == 2
    assert min(str(row["Timestamp"]) for row in beacon) >= "2026-11-15"


def test_the_updater_s_new_version_talks_to_new_hosts(rows: list[Properties]) -> None:
    updater = [row for row in rows if file_key(str(row["InitiatingProcessFileName"])) == "updater.exe"]
    hosts = defaultdict(set)
    for row in updater:
        hosts[row["InitiatingProcessVersionInfoProductVersion"]].add(str(row["RemoteUrl"]))
    assert set(hosts) == {"11.3", "11.4"}
    assert any("northwind-edge" in host for host in hosts["11.4"])
    assert not any("northwind-edge" in host for host in hosts["11.3"])


def test_the_scanner_sees_addresses_inside_only(rows: list[Properties]) -> None:
    scanned = {str(row["RemoteIP"]) for row in rows if row["InitiatingProcessFileName"] == "netscan.exe"}
    assert len(scanned) > 300
    assert all(address.startswith("10.") for address in scanned)
