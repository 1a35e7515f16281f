"""JSON lines as Defender's streaming API writes them to an Event Hub or a storage account.

One object a line: `category` names the table and `properties` holds the row.
"""

from collections.abc import Iterator, Mapping

from pydantic_core import from_json

from hunts.telemetry.cells import COLUMN_NAMES, BadCell, CellReader, Cells
from hunts.telemetry.columns import ENDPOINT_COLUMNS, EVENT_TIME, FILE_COLUMN, TIME_COLUMN
from hunts.telemetry.lines import LINE_CAP_WORDS, Line, LineSource
from hunts.telemetry.readers.base import OTHER_TABLE, BadLine, Item, OtherTable, Unrecognised

_CATEGORIES = ("AdvancedHunting-DeviceNetworkEvents", "DeviceNetworkEvents")
_TIME_CELL = COLUMN_NAMES.index(TIME_COLUMN)


class _BadObject(Exception):
    pass


class StreamingJson:
    title = "streaming API JSON lines"

    def items(self, lines: LineSource, cells: CellReader) -> Iterator[Item]:
        for line in lines:
            if line.data.isspace():
                continue
            try:
                row = _row(line)
                yield row if isinstance(row, OtherTable) else cells.finish(row)
            except (_BadObject, BadCell) as error:
                yield BadLine(line.number, str(error), line.data)


def recognise(lines: LineSource) -> StreamingJson:
    """Looks for the first row of DeviceNetworkEvents: a hub may carry other tables before it."""
    others: set[str] = set()
    for line in lines:
        try:
            category, properties = _envelope(line)
        except _BadObject:
            continue
        if _is_ours(category, properties):
            return StreamingJson()
        others.add(str(category)[:60])
    if others:
        raise Unrecognised(f"holds {', '.join(sorted(others)[:5])}, not DeviceNetworkEvents")
    raise Unrecognised("JSON, but not one streaming API object with `properties` on each line")


def _row(line: Line) -> Cells | OtherTable:
    category, properties = _envelope(line)
    if not _is_ours(category, properties):
        return OTHER_TABLE
    row: Cells = list(map(properties.get, COLUMN_NAMES))
    if time := properties.get(EVENT_TIME):
        row[_TIME_CELL] = time
    return row


def _envelope(line: Line) -> tuple[object, Mapping[str, object]]:
    """The category and the properties."""
    value = _decoded(line)
    if not isinstance(value, dict):
        raise _BadObject("no JSON object")
    properties = value.get("properties")
    if not isinstance(properties, dict):
        raise _BadObject("no `properties`")
    return value.get("category"), properties


def _is_ours(category: object, properties: Mapping[str, object]) -> bool:
    if category is not None:
        return category in _CATEGORIES
    return FILE_COLUMN in properties and any(name in properties for name in ENDPOINT_COLUMNS)


def _decoded(line: Line) -> object:
    """Strict, and twice as fast as the standard library: half a surrogate pair, NaN, bytes that are no
    UTF-8 and more than 200 levels are errors."""
    if line.too_long:
        raise _BadObject(f"longer than {LINE_CAP_WORDS}")
    try:
        value: object = from_json(line.data, allow_inf_nan=False)
    except ValueError as error:
        raise _BadObject(f"not JSON: {error}") from error
    return value
