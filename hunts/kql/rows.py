"""The lines of an answer to the footprint question."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hunts.kql.cells import read_count, read_day, read_moment, read_numbers, read_set, read_text
from hunts.kql.footprint import CAPS, COLUMNS
from hunts.telemetry.names import file_key


class MissingColumn(ValueError):
    """The answer is not one to the footprint question."""


@dataclass(slots=True)
class Row:
    """One (file, IP, DNS) on one UTC day, as recorded. Sets have up to one value more than their cap,
    which says that there are more."""

    day: date
    file: str
    ip: str
    dns: str
    first_seen: datetime
    last_seen: datetime
    events: int
    active_hours: int
    devices: int
    device_names: list[str]
    ports: list[int]
    actions: list[str]
    accounts: list[str]
    hashes: list[str]
    folders: list[str]
    publishers: list[str]
    parents: list[str]
    command_lines: list[str]


def read_rows(
    columns: Sequence[str], rows: Iterable[Sequence[object]], keys: Collection[str] | None = None
) -> Iterator[Row]:
    """With the `keys` of the files asked for, rows of others are left out: a source that folds more
    than ASCII letters sends such."""
    order = column_order(columns)
    for cells in rows:
        row = read_row([cells[position] for position in order])
        if keys is None or row.file in keys:
            yield row


def column_order(columns: Sequence[str]) -> list[int]:
    """Where each of COLUMNS stands in an answer."""
    try:
        return [columns.index(name) for name in COLUMNS]
    except ValueError as error:
        missing = ", ".join(name for name in COLUMNS if name not in columns)
        raise MissingColumn(f"The answer lacks columns: {missing}") from error


def read_row(cells: Sequence[object]) -> Row:
    """Cells in the order of COLUMNS."""
    day, file, ip, dns, first, last, events, hours, devices, *sets = cells
    names, ports, actions, accounts, hashes, folders, publishers, parents, command_lines = sets
    return Row(
        day=read_day(day),
        file=file_key(read_text(file)),
        ip=read_text(ip),
        dns=read_text(dns),
        first_seen=read_moment(first),
        last_seen=read_moment(last),
        events=read_count(events),
        active_hours=read_count(hours),
        devices=read_count(devices),
        device_names=read_set(names, CAPS["device_names"]),
        ports=read_numbers(ports, CAPS["ports"]),
        actions=read_set(actions, CAPS["actions"]),
        accounts=read_set(accounts, CAPS["accounts"]),
        hashes=read_set(hashes, CAPS["hashes"]),
        folders=read_set(folders, CAPS["folders"]),
        publishers=read_set(publishers, CAPS["publishers"]),
        parents=read_set(parents, CAPS["parents"]),
        command_lines=read_set(command_lines, CAPS["command_lines"]),
    )
