"""The three services behind the one protocol, asked at a lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hunts.kql.files import parse_file
from hunts.kql.footprint import Query, footprint_query
from hunts.kql.rows import Row, read_rows
from hunts.kql.window import Window
from hunts.sources.base import Answer
from hunts.sources.open import open_source
from hunts.sources.remote import RemoteAdapter
from tests.hunts.parquet import NOON, recorded
from tests.lab.server import Lab

WORKSPACE = "11111111-2222-3333-4444-555555555555"
TOKEN = "a-token-that-nobody-may-see"
SECONDS = 20.0
DAY = Window.days(NOON.date(), NOON.date())
KINDS = ("log_analytics", "defender_xdr", "data_explorer")
SERVICES = {
    "log_analytics": "Log Analytics",
    "defender_xdr": "Defender XDR",
    "data_explorer": "Data Explorer",
}

EVENTS = [
    recorded(
        "a.exe", f"192.0.2.{number}", f"x{number}.example", RemotePort=443, DeviceName="pc-1", DeviceId="d1"
    )
    for number in range(1, 6)
]
_OPTIONS = {
    "log_analytics": {"workspace": WORKSPACE},
    "defender_xdr": {},
    "data_explorer": {"database": "security"},
}


def at_noon() -> datetime:
    return NOON + timedelta(hours=1)


def open_kind(
    kind: str,
    lab: Lab,
    *,
    token: str = TOKEN,
    clock: Callable[[], datetime] = at_noon,
    environment: Mapping[str, str] | None = None,
    **options: str,
) -> RemoteAdapter:
    return open_source(
        kind,
        {"endpoint": lab.url, **_OPTIONS[kind], **options},
        "token:LAB_TOKEN",
        environment={"LAB_TOKEN": token, **(environment or {})},
        allow_http=True,
        clock=clock,
    )


def question(adapter: RemoteAdapter, *names: str, window: Window = DAY) -> Query:
    return footprint_query([parse_file(name) for name in names or ("a.exe",)], window, adapter.dialect)


def ask(adapter: RemoteAdapter, window: Window = DAY, timeout: float = SECONDS, **options: Any) -> Answer:
    return adapter.ask(question(adapter, window=window), window, timeout=timeout, **options)


def rows_of(answer: Answer) -> list[Row]:
    return sorted(read_rows(answer.columns, answer.rows), key=lambda row: (row.ip, row.dns))
