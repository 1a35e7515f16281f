"""Sysmon events as JSON, in the forms that collectors give them.

- flat: winlogbeat through Logstash, nxlog: every field at the top
- winlogbeat: the fields under `event_data`, or under `winlog.event_data`
- the table WindowsEvent of Log Analytics: the fields in `EventData`, which may be text
- EVTX as JSON: `Event.System` and `Event.EventData`
"""

from collections.abc import Mapping

from hunts.telemetry.cells import Cells
from hunts.telemetry.readers.base import OTHER_TABLE, OtherTable
from hunts.telemetry.readers.json_pieces import BadObject, decoded
from hunts.telemetry.sysmon import SysmonEvent, is_network_event, sysmon_cells

TITLE = "Sysmon JSON"
_SYSMON = "microsoft-windows-sysmon"
_SYSMON_GUID = "5770385f-c22a-43e0-bf4c-06f5698ffbd9"

Fields = Mapping[str, object]


def cells_of(event: Fields) -> Cells | OtherTable | None:
    """Events of Windows that are not Sysmon's, or tell of no network, are of another table."""
    if isinstance(event.get("Event"), dict):
        return _of_evtx(_part(event, "Event"))
    if isinstance(event.get("winlog"), dict):
        return _of_winlogbeat(_part(event, "winlog"))
    if "event_data" in event and "event_id" in event:
        return _of_winlogbeat(event)
    if "EventID" in event and ("EventData" in event or "UtcTime" in event or "Channel" in event):
        return _of_windows(event)
    return None


def _of_evtx(event: Fields) -> Cells | OtherTable | None:
    system = event.get("System")
    if not isinstance(system, dict):
        return None
    provider = _part(_part(system, "Provider"), "#attributes") or _part(system, "Provider_attributes")
    event_id = system.get("EventID")
    if isinstance(event_id, dict):
        event_id = event_id.get("#text")
    found = SysmonEvent(
        event_id, system.get("Computer"), system.get("EventRecordID"), _part(event, "EventData")
    )
    return _cells(found, (provider.get("Name"), provider.get("Guid"), system.get("Channel")))


def _of_winlogbeat(event: Fields) -> Cells | OtherTable:
    record = event.get("record_number") or event.get("record_id")
    found = SysmonEvent(event.get("event_id"), event.get("computer_name"), record, _part(event, "event_data"))
    names = ("source_name", "provider_name", "provider_guid", "log_name", "channel")
    return _cells(found, tuple(event.get(name) for name in names))


def _of_windows(event: Fields) -> Cells | OtherTable:
    data = event.get("EventData", event)
    if isinstance(data, str):
        data = decoded(data.encode()) if data.startswith("{") else {}
    if not isinstance(data, dict):
        raise BadObject("`EventData` is no object")
    computer = event.get("Computer") or event.get("Hostname") or event.get("computer_name")
    record = event.get("RecordNumber") or event.get("EventRecordId") or event.get("EventRecordID")
    found = SysmonEvent(event.get("EventID"), computer, record, data)
    names = ("SourceName", "Provider", "ProviderName", "ProviderGuid", "Channel", "EventLog")
    return _cells(found, tuple(event.get(name) for name in names))


def _cells(event: SysmonEvent, origin: tuple[object, ...]) -> Cells | OtherTable:
    if not _is_sysmon(event, origin) or not is_network_event(event.id):
        return OTHER_TABLE
    return sysmon_cells(event)


def _is_sysmon(event: SysmonEvent, origin: tuple[object, ...]) -> bool:
    texts = [text.lower() for text in origin if isinstance(text, str)]
    if not texts:
        return "ProcessGuid" in event.data and "UtcTime" in event.data
    return any(text.startswith(_SYSMON) or text.strip("{}") == _SYSMON_GUID for text in texts)


def _part(event: Fields, name: str) -> Fields:
    part = event.get(name)
    return part if isinstance(part, dict) else {}
