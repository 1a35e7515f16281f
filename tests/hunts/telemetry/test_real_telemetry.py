"""Real exports, where FOOTPRINT_REAL_TELEMETRY names a folder of them: what is stored equals what plain
Python finds in the original lines."""

from __future__ import annotations

import csv
import gzip
import json
import os
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from hunts.telemetry.errors import UnreadableFile
from hunts.telemetry.importing import import_files
from hunts.telemetry.names import file_key
from hunts.telemetry.store import Store
from tests.hunts.telemetry.exports import pairs, reader_of, stored

FOLDER = os.environ.get("FOOTPRINT_REAL_TELEMETRY")
pytestmark = pytest.mark.skipif(not FOLDER, reason="FOOTPRINT_REAL_TELEMETRY names no folder of real exports")

# It lists the columns of the table and holds no telemetry.
SCHEMA = "DeviceNetworkEvents_schema_azure_monitor.csv"
COLUMNS = ("InitiatingProcessFileName", "RemoteIP", "RemoteUrl")
PARTS = ("derived", "native", "sysmon")
Pair = tuple[str, str, str]


def files(*parts: str) -> list[Path]:
    found = [path for part in parts for path in sorted((Path(FOLDER or "") / part).glob("*"))]
    return [path for path in found if path.name != SCHEMA]


FILES = files(*PARTS) if FOLDER else []


def covered_files() -> list[Path]:
    return FILES


def original_rows(path: Path) -> list[dict[str, str]]:
    """The file name and both sides of the pair, row by row."""
    text = path.read_text(encoding="utf-8-sig")
    rows: Iterable[dict[str, Any]]
    if path.suffix == ".csv":
        rows = csv.DictReader(text.splitlines(keepends=True))
    elif path.suffix == ".json":
        value = json.loads(text)
        rows = value.get("results") or [value]
    else:
        rows = (json.loads(line) for line in text.splitlines())
    plain = plain_sysmon if path.parent.name == "sysmon" else plain_row
    return [plain(row) for row in rows]


def plain_row(row: dict[str, Any]) -> dict[str, str]:
    row = row.get("body", row)
    row = row.get("properties", row)
    return {name: row.get(name) or "" for name in COLUMNS}


def plain_sysmon(event: dict[str, Any]) -> dict[str, str]:
    fields = {name: "" if value == "-" else value for name, value in fields_of_sysmon(event).items()}
    name = fields["Image"].split("\\")[-1]
    if "QueryName" in fields:
        return dict(zip(COLUMNS, (name, "", fields["QueryName"]), strict=True))
    end = "Destination" if str(fields["Initiated"]).lower() == "true" else "Source"
    pair = (name, fields.get(f"{end}Ip", ""), fields.get(f"{end}Hostname", ""))
    return dict(zip(COLUMNS, pair, strict=True))


def fields_of_sysmon(event: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = event
    if "Event" in event:
        fields = event["Event"]["EventData"]
    elif "event_data" in event:
        fields = event["event_data"]
    elif "EventData" in event:
        fields = json.loads(event["EventData"])
    return fields


def original_pairs(path: Path) -> list[Pair]:
    rows = [tuple(row[name] for name in COLUMNS) for row in original_rows(path)]
    return [(file_key(name), ip, url) for name, ip, url in rows]


def by_name(found: set[Pair]) -> dict[str, set[tuple[str, str]]]:
    names: dict[str, set[tuple[str, str]]] = {}
    for name, ip, url in found:
        names.setdefault(name, set()).add((ip, url))
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_gives_the_pairs_of_its_lines_for_every_file_name(store: Store, path: Path) -> None:
    expected = original_pairs(path)

    summary = import_files(store, [path])

    assert (summary.bad_lines, summary.other_rows, summary.rows_read) == (0, 0, len(expected))
    # Its session was made anonymous with text where the table has a number.
    assert summary.unread_cells in ({}, {"InitiatingProcessSessionId": 1})
    assert by_name(pairs(store)) == by_name(set(expected))


def test_the_shapes_are_told_apart() -> None:
    titles = Counter(reader_of(path).title for path in FILES)
    assert titles == {
        "Defender portal CSV": 2,
        "Log Analytics portal CSV": 1,
        "streaming API JSON lines": 2,
        "streaming API JSON": 1,
        "JSON rows": 2,
        "Sysmon JSON lines": 10,
    }


@pytest.mark.parametrize("part", PARTS)
def test_a_folder_gives_the_pairs_of_its_files(store: Store, tmp_path: Path, part: str) -> None:
    folder = tmp_path / part
    folder.mkdir()
    for path in files(part):
        (folder / path.name).write_bytes(path.read_bytes())

    import_files(store, [folder])

    assert pairs(store) == {pair for path in files(part) for pair in original_pairs(path)}


def test_packed_files_give_the_pairs_of_their_lines(store: Store, tmp_path: Path) -> None:
    packed = tmp_path / "all.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files("sysmon", "native"):
            archive.write(path, f"{path.parent.name}/{path.name}")
    gzips = []
    for path in files("derived"):
        gzips.append(tmp_path / f"{path.name}.gz")
        gzips[-1].write_bytes(gzip.compress(path.read_bytes()))

    import_files(store, [packed, *gzips])

    assert pairs(store) == {pair for path in FILES for pair in original_pairs(path)}


def test_what_is_no_telemetry_is_refused_and_named(store: Store) -> None:
    schema = Path(FOLDER or "") / "native" / SCHEMA

    with pytest.raises(UnreadableFile) as caught:
        import_files(store, [schema, *files("native")])

    assert [refusal.path for refusal in caught.value.refusals] == [schema]
    assert store.parquet_files() == ()


def test_csv_and_json_lines_of_the_same_rows_are_doubles_and_give_the_same_pairs(store: Store) -> None:
    derived = Path(FOLDER or "") / "derived"
    lines = derived / "DeviceNetworkEvents.streaming.jsonl"
    table = derived / "DeviceNetworkEvents.loganalytics.csv"

    summary = import_files(store, [lines, table])

    assert summary.doubles == summary.new_rows
    assert pairs(store) == set(original_pairs(lines)) == set(original_pairs(table))


def test_sysmon_events_and_the_rows_derived_from_them_agree(tmp_path: Path) -> None:
    """The derived rows keep the destination as the remote end also of what came in; there, remote and
    local are the other way round."""
    sysmon, derived = Store(tmp_path / "sysmon"), Store(tmp_path / "derived")
    import_files(sysmon, files("sysmon"))
    import_files(derived, [Path(FOLDER or "") / "derived" / "DeviceNetworkEvents.streaming.jsonl"])
    went_out = ("TimeGenerated", "ActionType", "DeviceName", "FileKey", "RemoteIP", "RemoteUrl", "RemotePort",
                "LocalIP", "LocalPort", "Protocol", "InitiatingProcessFolderPath", "InitiatingProcessId",
                "InitiatingProcessAccountDomain", "InitiatingProcessAccountName")  # fmt: skip
    came_in = ("TimeGenerated", "ActionType", "DeviceName", "FileKey", "LocalIP", "LocalPort", "RemoteIP",
               "RemotePort", "Protocol")  # fmt: skip
    turned = ("TimeGenerated", "ActionType", "DeviceName", "FileKey", "RemoteIP", "RemotePort", "LocalIP",
              "LocalPort", "Protocol")  # fmt: skip

    def rows(store: Store, columns: tuple[str, ...], *, inbound: bool) -> set[tuple[Any, ...]]:
        # Sysmon's `-` stands in six of the derived rows.
        found = [tuple("" if cell == "-" else cell for cell in each) for each in stored(store, *columns)]
        return {each for each in found if (each[1] == "InboundConnectionAccepted") is inbound}

    assert rows(sysmon, went_out, inbound=False) == rows(derived, went_out, inbound=False)
    assert rows(sysmon, came_in, inbound=True) == rows(derived, turned, inbound=True)
