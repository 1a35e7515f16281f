"""JSON, line by line or as one document: each event is read in the shape it has.

A shape is a module with `title` and `cells_of`; it knows one way in which events are written.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hunts.telemetry.cells import CellReader, Cells
from hunts.telemetry.exports import HEAD_BYTES, OpenExport
from hunts.telemetry.lines import LineSource
from hunts.telemetry.readers import device_rows, streaming_json, sysmon_json
from hunts.telemetry.readers.base import BadLine, Item, OtherTable, Unrecognised
from hunts.telemetry.readers.json_pieces import (
    WRAPPINGS,
    BadObject,
    Piece,
    decoded,
    pieces_by_line,
    pieces_of_document,
)
from hunts.telemetry.readers.together import BYTES, ROWS, finished
from hunts.telemetry.unpacking import BrokenOff

Event = Mapping[str, object]
# None: not of this shape. Raises BadObject for an event of this shape that cannot be read.
CellsOf = Callable[[Event], Cells | OtherTable | None]
Found = tuple[Cells, Piece] | BadLine | OtherTable


@dataclass(frozen=True)
class Shape:
    title: str
    cells_of: CellsOf


# Asked in this order.
SHAPES = (
    Shape(streaming_json.TITLE, streaming_json.cells_of),
    Shape(sysmon_json.TITLE, sysmon_json.cells_of),
    Shape(device_rows.TITLE, device_rows.cells_of),
)
_DEEPEST_WRAPPING = 8
_WRAPPINGS = frozenset(WRAPPINGS)
_NO_EVENT = "neither a row of DeviceNetworkEvents nor a Sysmon event"


class JsonEvents:
    def __init__(self, shape: Shape, *, by_line: bool) -> None:
        self.title = f"{shape.title} lines" if by_line else shape.title
        self._pieces = pieces_by_line if by_line else pieces_of_document
        # Most files hold one shape, but a file may hold several.
        self._shapes = (shape, *(other for other in SHAPES if other is not shape))

    def items(self, export: OpenExport, cells: CellReader) -> Iterator[Item]:
        for pieces in _many(self._pieces(export.lines)):
            yield from self._items_of(pieces, cells)

    def _items_of(self, pieces: Sequence[Piece | BadLine], cells: CellReader) -> Iterator[Item]:
        read: list[tuple[Cells, Piece]] = []
        for piece in pieces:
            for found in self._found_in(piece):
                if isinstance(found, tuple):
                    read.append(found)
                    continue
                if isinstance(found, BadLine):
                    yield from finished(cells, read, _bad_line)
                    read = []
                yield found
        yield from finished(cells, read, _bad_line)

    def _found_in(self, piece: Piece | BadLine) -> Sequence[Found]:
        if isinstance(piece, BadLine):
            return (piece,)
        try:
            value = decoded(piece.data)
            if type(value) is dict and _WRAPPINGS.isdisjoint(value):
                return (self._found(value, piece),)
            events = list(unwrapped(value))
        except BadObject as error:
            return (_bad_line(piece, str(error)),)
        return [self._found(event, piece) for event in events]

    def _found(self, event: object, piece: Piece) -> Found:
        try:
            row = cells_of(event, self._shapes)
            return row if isinstance(row, OtherTable) else (row, piece)
        except BadObject as error:
            return _bad_line(piece, str(error))


def _many(pieces: Iterator[Piece | BadLine]) -> Iterator[list[Piece | BadLine]]:
    """Also what comes before a file breaks off."""
    held: list[Piece | BadLine] = []
    size = 0
    try:
        for piece in pieces:
            held.append(piece)
            size += len(piece.data)
            if len(held) >= ROWS or size >= BYTES:
                yield held
                held, size = [], 0
    except BrokenOff:
        yield held
        raise
    yield held


def _bad_line(piece: Piece, reason: str) -> BadLine:
    return BadLine(piece.number, reason, piece.data)


def cells_of(event: object, shapes: tuple[Shape, ...] = SHAPES) -> Cells | OtherTable:
    if not isinstance(event, dict):
        raise BadObject("no JSON object")
    for shape in shapes:
        cells = shape.cells_of(event)
        if cells is not None:
            return cells
    raise BadObject(_NO_EVENT)


def unwrapped(value: object, depth: int = 0) -> Iterator[object]:
    """The events in what an Event Hub or a service's answer put around them."""
    inner = [value[key] for key in WRAPPINGS if key in value] if isinstance(value, dict) else []
    if depth < _DEEPEST_WRAPPING and inner:
        for each in inner:
            # Some hubs' clients write the body as text.
            if isinstance(each, str) and each.lstrip()[:1] in ("{", "["):
                yield from unwrapped(decoded(each.encode()), depth + 1)
            elif isinstance(each, dict | list):
                yield from unwrapped(each, depth + 1)
            else:
                yield value
                return
    elif depth < _DEEPEST_WRAPPING and isinstance(value, list):
        for each in value:
            yield from unwrapped(each, depth + 1)
    else:
        yield value


def recognise(head: bytes) -> JsonEvents:
    """Looks for the first network event: a hub or a log may hold others before it, also many."""
    seen: set[str] = set()
    for by_line in (True, False) if _begins_with_whole_line(head) else (False, True):
        shape = _first_shape(_pieces(head, by_line), seen)
        if shape is not None:
            return JsonEvents(shape, by_line=by_line)
    raise Unrecognised(_why_not(seen))


def _begins_with_whole_line(head: bytes) -> bool:
    """An object that is closed on its line, and not the only one of a document."""
    first, _, rest = head.strip().partition(b"\n")
    try:
        value = decoded(first)
    except BadObject:
        return False
    return isinstance(value, dict) and (bool(rest) or not any(key in value for key in WRAPPINGS))


def _pieces(head: bytes, by_line: bool) -> Iterator[Piece | BadLine]:
    lines = LineSource(io.BytesIO(head))
    return pieces_by_line(lines) if by_line else pieces_of_document(lines)


def _first_shape(pieces: Iterator[Piece | BadLine], seen: set[str]) -> Shape | None:
    """`seen` takes the names of other tables."""
    of_others: Shape | None = None
    read = 0
    for piece in pieces:
        if isinstance(piece, BadLine):
            continue
        read += len(piece.data)
        for event in _events(piece):
            for shape in SHAPES:
                found = _cells_or_none(shape, event)
                if isinstance(found, OtherTable):
                    of_others = of_others or shape
                    seen.add(_table_of(event))
                elif found is not None:
                    return shape
    # What is looked for may come later in a long file.
    return of_others if read > HEAD_BYTES // 2 else None


def _events(piece: Piece) -> Iterator[Event]:
    try:
        for event in unwrapped(decoded(piece.data)):
            if isinstance(event, dict):
                yield event
    except BadObject:
        return


def _cells_or_none(shape: Shape, event: Event) -> Cells | OtherTable | None:
    try:
        return shape.cells_of(event)
    except BadObject:
        return None


def _table_of(event: Event) -> str:
    names = (event.get(key) for key in ("category", "Type", "Channel", "log_name"))
    return next((name[:60] for name in names if isinstance(name, str)), "other events")


def _why_not(seen: set[str]) -> str:
    if seen:
        return f"holds {', '.join(sorted(seen)[:5])}, not DeviceNetworkEvents or Sysmon's network events"
    return "JSON, but no rows of DeviceNetworkEvents and no Sysmon events"
