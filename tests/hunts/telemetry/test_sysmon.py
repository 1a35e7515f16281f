from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hunts.telemetry.importing import import_files
from hunts.telemetry.store import Store
from tests.hunts.telemetry.evtx_bytes import event_log, sysmon_event
from tests.hunts.telemetry.exports import bad_lines, pairs, stored, write_text

OUT = {
    "UtcTime": "2026-11-02 12:00:00.123", "ProcessGuid": "{1}", "ProcessId": "77",
    "Image": "C:\\Tools\\A.exe", "User": "CORP\\Ada", "Protocol": "tcp", "Initiated": "true",
    "SourceIp": "192.0.2.1", "SourceHostname": "self.test", "SourcePort": "50000",
    "DestinationIp": "203.0.113.7", "DestinationHostname": "far.test", "DestinationPort": "443",
}  # fmt: skip
IN = OUT | {"Initiated": "false"}
LOOK_UP = {
    "UtcTime": "2026-11-02 12:00:01", "ProcessGuid": "{1}", "Image": "/usr/bin/curl",
    "QueryName": "name.test", "QueryStatus": "0", "QueryResults": "192.0.2.9;",
}  # fmt: skip
CHANNEL = "Microsoft-Windows-Sysmon/Operational"
NAME = "Microsoft-Windows-Sysmon"


def flat(event_id: int, data: dict[str, Any]) -> dict[str, Any]:
    return {"EventID": event_id, "SourceName": NAME, "Channel": CHANNEL, "Hostname": "H1"} | data


def winlogbeat_6(event_id: int, data: dict[str, Any]) -> dict[str, Any]:
    return {"event_id": event_id, "source_name": NAME, "computer_name": "H1", "record_number": "5",
            "event_data": data}  # fmt: skip


def winlogbeat_7(event_id: int, data: dict[str, Any]) -> dict[str, Any]:
    return {"winlog": {"event_id": str(event_id), "channel": CHANNEL, "computer_name": "H1", "record_id": 5,
                       "event_data": data}, "event": {"code": "3"}}  # fmt: skip


def windows_event(event_id: int, data: dict[str, Any]) -> dict[str, Any]:
    return {"TimeGenerated": "2026-11-09T00:00:00Z", "Provider": NAME, "Channel": CHANNEL, "Computer": "H1",
            "EventID": event_id, "EventData": json.dumps(data), "Type": "WindowsEvent"}  # fmt: skip


def windows_event_of_objects(event_id: int, data: dict[str, Any]) -> dict[str, Any]:
    return windows_event(event_id, data) | {"EventData": data}


def evtx_json(event_id: int, data: dict[str, Any]) -> dict[str, Any]:
    typed = {key: value == "true" if key == "Initiated" else value for key, value in data.items()}
    system = {"Provider": {"#attributes": {"Name": NAME}}, "EventID": {"#attributes": {"Qualifiers": ""},
              "#text": event_id}, "EventRecordID": 5, "Channel": CHANNEL, "Computer": "H1"}  # fmt: skip
    return {"Event": {"System": system, "EventData": typed}}


FORMS = [flat, winlogbeat_6, winlogbeat_7, windows_event, windows_event_of_objects, evtx_json]
every_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)


def lines(path: Path, *events: dict[str, Any]) -> Path:
    return write_text(path, "".join(json.dumps(event) + "\n" for event in events))


@every_form
def test_a_connection_that_went_out_has_its_destination_as_the_remote_end(
    store: Store, tmp_path: Path, form: Any
) -> None:
    import_files(store, [lines(tmp_path / "x", form(3, OUT))])

    assert stored(
        store, "FileKey", "RemoteIP", "RemoteUrl", "RemotePort", "LocalIP", "LocalPort", "Protocol",
        "ActionType", "DeviceName", "InitiatingProcessFileName", "InitiatingProcessFolderPath",
        "InitiatingProcessAccountDomain", "InitiatingProcessAccountName", "InitiatingProcessId",
        "TimeGenerated::VARCHAR",
    ) == [
        ("a.exe", "203.0.113.7", "far.test", 443, "192.0.2.1", 50000, "Tcp",
         "ConnectionSuccess", "h1", "A.exe", "c:\\tools\\a.exe", "corp", "ada", 77,
         "2026-11-02 12:00:00.123"),
    ]  # fmt: skip


@every_form
def test_a_connection_that_came_in_has_its_source_as_the_remote_end(
    store: Store, tmp_path: Path, form: Any
) -> None:
    import_files(store, [lines(tmp_path / "x", form(3, IN))])

    assert stored(
        store, "RemoteIP", "RemoteUrl", "RemotePort", "LocalIP", "LocalPort", "ActionType"
    ) == [("192.0.2.1", "self.test", 50000, "203.0.113.7", 443, "InboundConnectionAccepted")]  # fmt: skip


@every_form
def test_a_name_that_was_looked_up_is_a_name_without_an_address(
    store: Store, tmp_path: Path, form: Any
) -> None:
    import_files(store, [lines(tmp_path / "x", form(22, LOOK_UP))])

    [(key, ip, url, action, fields)] = stored(
        store, "FileKey", "RemoteIP", "RemoteUrl", "ActionType", "AdditionalFields"
    )
    assert (key, ip, url, action) == ("curl", "", "name.test", "DnsQueryResponse")
    assert json.loads(fields)["DnsQueryResults"] == "192.0.2.9;"


def test_a_dash_is_nothing_and_addresses_stay_as_they_are(store: Store, tmp_path: Path) -> None:
    odd = OUT | {
        "DestinationHostname": "-",
        "DestinationIp": "0:0:0:0:0:0:0:1",
        "User": "-",
        "DestinationPort": "-",
    }

    summary = import_files(store, [lines(tmp_path / "x", flat(3, odd))])

    assert pairs(store) == {("a.exe", "0:0:0:0:0:0:0:1", "")}
    assert not summary.unread_cells
    assert stored(store, "RemotePort", "InitiatingProcessAccountName") == [(None, "")]


def test_other_events_are_left_out_and_counted(store: Store, tmp_path: Path) -> None:
    others = [
        flat(1, OUT),
        flat(3, OUT) | {"Channel": "Security", "SourceName": "Microsoft-Windows-Security-Auditing"},
    ]

    summary = import_files(store, [lines(tmp_path / "x", *others, flat(3, OUT))])

    assert (summary.rows_read, summary.other_rows, summary.bad_lines) == (1, 2, 0)


@pytest.mark.parametrize("initiated", [None, "", "maybe"])
def test_a_connection_that_does_not_say_who_began_it_is_put_aside(
    store: Store, tmp_path: Path, initiated: str | None
) -> None:
    summary = import_files(
        store, [lines(tmp_path / "x", flat(3, OUT), flat(3, OUT | {"Initiated": initiated}))]
    )

    assert (summary.new_rows, summary.bad_lines) == (1, 1)


def test_event_data_that_is_no_json_costs_its_line(store: Store, tmp_path: Path) -> None:
    broken = windows_event(3, OUT) | {"EventData": '{"Image": '}

    summary = import_files(store, [lines(tmp_path / "x", windows_event(3, OUT), broken)])

    assert (summary.new_rows, summary.bad_lines) == (1, 1)


def test_an_event_log_is_read(store: Store, tmp_path: Path) -> None:
    export = tmp_path / "Sysmon.log"
    export.write_bytes(
        event_log([sysmon_event(3, 7, **OUT), sysmon_event(3, 8, **IN), sysmon_event(22, 9, **LOOK_UP),
                   sysmon_event(1, 10, Image="x")])
    )  # fmt: skip

    summary = import_files(store, [export])

    assert pairs(store) == {
        ("a.exe", "203.0.113.7", "far.test"), ("a.exe", "192.0.2.1", "self.test"), ("curl", "", "name.test"),
    }  # fmt: skip
    assert (summary.rows_read, summary.other_rows, summary.bad_lines) == (3, 1, 0)
    assert {report for (report,) in stored(store, "ReportId")} == {7, 8, 9}


def test_a_damaged_record_of_an_event_log_costs_that_record(store: Store, tmp_path: Path) -> None:
    good = event_log(
        [sysmon_event(3, number, **OUT | {"SourcePort": f"4000{number}"}) for number in (1, 2, 3)]
    )
    records = [place for place in range(4096, len(good)) if good[place : place + 4] == b"\x2a\x2a\0\0"]
    damaged = bytearray(good)
    damaged[records[1] + 24 : records[1] + 40] = b"\xee" * 16
    export = tmp_path / "x"
    export.write_bytes(bytes(damaged))

    summary = import_files(store, [export])

    assert {port for (port,) in stored(store, "LocalPort")} == {40001, 40003}
    assert [line["line"] for line in bad_lines(store, summary)] == [2]
