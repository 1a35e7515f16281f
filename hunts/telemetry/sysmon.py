"""Sysmon's network events in the columns of DeviceNetworkEvents.

Event 3 is a connection, event 22 a name that was looked up. Which end is remote says `Initiated`: of a
connection that this machine began it is the destination, of one that came in the source. Sysmon writes
`-` for nothing. It knows no DeviceId; the name of the machine stands in, so that machines can be counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hunts.telemetry.cells import COLUMN_NAMES, Cells
from hunts.telemetry.readers.json_pieces import BadObject

CONNECTION, NAME_LOOKED_UP = "3", "22"
_NOTHING = "-"
_PROTOCOLS = {"tcp": "Tcp", "udp": "Udp"}
_PLACES = {name: place for place, name in enumerate(COLUMN_NAMES)}


@dataclass(frozen=True, slots=True)
class SysmonEvent:
    id: object
    computer: object
    record: object
    data: Mapping[str, object]


def is_network_event(event_id: object) -> bool:
    return str(event_id) in (CONNECTION, NAME_LOOKED_UP)


def sysmon_cells(event: SysmonEvent) -> Cells:
    """Raises BadObject when it does not say which end is remote."""
    data = event.data
    image = _text(data, "Image")
    domain, _, account = _text(data, "User").rpartition("\\")
    machine = event.computer.lower() if isinstance(event.computer, str) else ""
    found: dict[str, object] = {
        "TimeGenerated": data.get("UtcTime"),
        "DeviceId": machine,
        "DeviceName": machine,
        "InitiatingProcessFileName": _last_part(image),
        "InitiatingProcessFolderPath": image.lower(),
        "InitiatingProcessId": data.get("ProcessId"),
        "InitiatingProcessAccountDomain": domain.lower(),
        "InitiatingProcessAccountName": account.lower(),
        "ReportId": event.record,
    }
    found |= _connection(data) if str(event.id) == CONNECTION else _look_up(data)
    cells: Cells = [None] * len(COLUMN_NAMES)
    for name, value in found.items():
        cells[_PLACES[name]] = value
    return cells


def _connection(data: Mapping[str, object]) -> dict[str, object]:
    initiated = str(data.get("Initiated")).lower()
    if initiated not in ("true", "false"):
        raise BadObject("`Initiated` is neither true nor false")
    goes_out = initiated == "true"
    remote, local = ("Destination", "Source") if goes_out else ("Source", "Destination")
    protocol = _text(data, "Protocol")
    return {
        "ActionType": "ConnectionSuccess" if goes_out else "InboundConnectionAccepted",
        "RemoteIP": _text(data, f"{remote}Ip"),
        "RemoteUrl": _text(data, f"{remote}Hostname"),
        "RemotePort": _text(data, f"{remote}Port"),
        "LocalIP": _text(data, f"{local}Ip"),
        "LocalPort": _text(data, f"{local}Port"),
        "Protocol": _PROTOCOLS.get(protocol.lower(), protocol),
    }


def _look_up(data: Mapping[str, object]) -> dict[str, object]:
    fields = {
        "DnsQueryString": data.get("QueryName"),
        "DnsQueryStatus": data.get("QueryStatus"),
        "DnsQueryResults": data.get("QueryResults"),
    }
    return {
        "ActionType": "DnsQueryResponse",
        "RemoteUrl": _text(data, "QueryName"),
        "AdditionalFields": {name: value for name, value in fields.items() if value is not None},
    }


def _text(data: Mapping[str, object], name: str) -> str:
    value = data.get(name)
    if value is None or value == _NOTHING:
        return ""
    return value if isinstance(value, str) else str(value)


def _last_part(image: str) -> str:
    """Of a path of Windows or, where there is no backslash, of Linux."""
    return image.rpartition("\\")[2] if "\\" in image else image.rpartition("/")[2]
