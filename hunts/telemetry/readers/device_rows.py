"""Rows of DeviceNetworkEvents as they are: the answer of Graph's runHuntingQuery, `schema` and `results`;
an Event Hub's envelope whose columns lie flat beside it; saved answers of other interfaces."""

from collections.abc import Mapping

from hunts.telemetry.cells import COLUMN_NAMES, Cells
from hunts.telemetry.columns import ENDPOINT_COLUMNS, EVENT_TIME, FILE_COLUMN, TIME_COLUMN
from hunts.telemetry.readers.base import OTHER_TABLE, OtherTable

TITLE = "JSON rows"
TABLE = "DeviceNetworkEvents"
# Where an interface says which table a row is of.
_TABLE_KEYS = ("category", "Type", "$table")
_TIME_CELL = COLUMN_NAMES.index(TIME_COLUMN)


def cells_of(event: Mapping[str, object]) -> Cells | OtherTable | None:
    table = next((event[key] for key in _TABLE_KEYS if isinstance(event.get(key), str)), None)
    if table is None:
        return row_cells(event) if is_row(event) else None
    if is_ours(table):
        return row_cells(event)
    return OTHER_TABLE if is_other(table) else None


def is_ours(table: object) -> bool:
    return isinstance(table, str) and table.removeprefix("AdvancedHunting-") == TABLE


def is_other(table: object) -> bool:
    """Whether it is the name of another table of advanced hunting."""
    return isinstance(table, str) and table.endswith(("Events", "Info")) and not is_ours(table)


def is_row(properties: Mapping[str, object]) -> bool:
    return FILE_COLUMN in properties and any(name in properties for name in ENDPOINT_COLUMNS)


def row_cells(properties: Mapping[str, object]) -> Cells:
    row: Cells = list(map(properties.get, COLUMN_NAMES))
    if time := properties.get(EVENT_TIME):
        row[_TIME_CELL] = time
    return row
