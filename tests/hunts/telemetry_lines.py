"""Small made-up telemetry for tests, imported on the road real exports take."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from hunts.telemetry.importing import import_files
from hunts.telemetry.store import Store

Event = Mapping[str, Any]


def days_ago(days: int, *, hour: int = 9, minute: int = 0) -> datetime:
    today = datetime.now(UTC).date()
    return datetime.combine(today - timedelta(days=days), time(hour, minute), tzinfo=UTC)


def event(file: str, at: datetime, ip: str = "", dns: str = "", **columns: Any) -> dict[str, Any]:
    return {
        "Timestamp": at.isoformat().replace("+00:00", "Z"),
        "DeviceId": "device-1",
        "DeviceName": "lis-w-0001",
        "ActionType": "ConnectionSuccess",
        "InitiatingProcessFileName": file,
        "RemoteIP": ip,
        "RemoteUrl": dns,
        "RemotePort": 443,
        **columns,
    }


def write_lines(path: Path, events: Iterable[Event]) -> Path:
    lines = (
        json.dumps(
            {"category": "AdvancedHunting-DeviceNetworkEvents", "properties": {"ReportId": number, **each}}
        )
        for number, each in enumerate(events, start=1)
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def fill(store: Store, folder: Path, events: Iterable[Event]) -> None:
    import_files(store, [write_lines(folder / "events.jsonl", events)])
