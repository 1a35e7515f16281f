"""Real exports, where FOOTPRINT_REAL_TELEMETRY names a folder of them: what is stored equals what plain
Python finds in the original lines."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hunts.telemetry.errors import UnreadableFile
from hunts.telemetry.names import file_key
from hunts.telemetry.readers.choose import choose_reader
from hunts.telemetry.store import Store, import_files
from tests.hunts.telemetry.exports import pairs

FOLDER = os.environ.get("FOOTPRINT_REAL_TELEMETRY")
pytestmark = pytest.mark.skipif(not FOLDER, reason="FOOTPRINT_REAL_TELEMETRY names no folder of real exports")

Pairs = set[tuple[str, str, str]]


def covered_files() -> list[Path]:
    files = [path for part in ("derived", "native") for path in sorted((Path(FOLDER or "") / part).glob("*"))]
    return [path for path in files if is_covered(path)]


def is_covered(path: Path) -> bool:
    try:
        choose_reader(path)
    except UnreadableFile:
        return False
    return True


def original_rows(path: Path) -> Iterator[dict[str, str | None]]:
    text = path.read_text(encoding="utf-8-sig")
    if text.startswith("{"):
        for line in text.splitlines():
            yield json.loads(line)["properties"]
    else:
        yield from csv.DictReader(text.splitlines(keepends=True))


def original_pairs(*paths: Path) -> Pairs:
    columns = ("InitiatingProcessFileName", "RemoteIP", "RemoteUrl")
    rows = [[row.get(column) or "" for column in columns] for path in paths for row in original_rows(path)]
    return {(file_key(name), ip, url) for name, ip, url in rows}


def test_the_files_of_all_three_shapes_are_covered() -> None:
    titles = {choose_reader(path).title for path in covered_files()}
    assert titles == {"Defender portal CSV", "Log Analytics portal CSV", "streaming API JSON lines"}


def test_each_file_gives_the_pairs_of_its_lines(tmp_path: Path) -> None:
    for number, path in enumerate(covered_files()):
        store = Store(tmp_path / str(number))
        summary = import_files(store, [path])
        assert (summary.bad_lines, summary.rows_read) == (0, len(list(original_rows(path))))
        assert pairs(store) == original_pairs(path)


def test_all_files_together_give_the_pairs_of_all_lines(store: Store) -> None:
    paths = covered_files()
    import_files(store, paths)
    assert pairs(store) == original_pairs(*paths)


def test_csv_and_json_lines_of_the_same_rows_are_doubles_and_give_the_same_pairs(store: Store) -> None:
    derived = Path(FOLDER or "") / "derived"
    lines = derived / "DeviceNetworkEvents.streaming.jsonl"
    table = derived / "DeviceNetworkEvents.loganalytics.csv"

    summary = import_files(store, [lines, table])

    assert summary.doubles == summary.new_rows
    assert pairs(store) == original_pairs(lines) == original_pairs(table)
