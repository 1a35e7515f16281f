"""What the two portals' CSV exports share: records over several lines, a header, one row per record."""

import csv
from collections.abc import Iterator, Sequence
from operator import itemgetter

from hunts.telemetry.cells import CellReader, Cells
from hunts.telemetry.columns import ENDPOINT_COLUMNS, FILE_COLUMN, RECORDED, TIME_COLUMN, TIME_NAMES
from hunts.telemetry.exports import OpenExport
from hunts.telemetry.lines import LINE_CAP, LINE_CAP_WORDS, Line, LineSource
from hunts.telemetry.readers.base import BadLine, Item, Unrecognised
from hunts.telemetry.readers.together import BYTES, ROWS, finished
from hunts.telemetry.unpacking import BrokenOff

# Python's own limit, 131,072 characters, is shorter than a line may be.
csv.field_size_limit(LINE_CAP)

# A record of more lines than this is an unclosed quote, and each line that is remembered costs memory.
_RECORD_LINES = 50_000
# After a broken record its later lines are read again, each on its own. A hostile file could make that
# quadratic, so lines are read again only within this many times the size of the file so far.
_REREAD_FACTOR = 4


class _BadRecord(Exception):
    pass


class _RecordLines:
    """Hands lines to csv.reader and remembers which ones the current record took."""

    def __init__(self, source: LineSource) -> None:
        self._source = source
        self._size = 0
        self.taken: list[Line] = []
        self.is_utf8 = True

    def start(self) -> None:
        self.taken = []
        self._size = 0
        self.is_utf8 = True

    def __iter__(self) -> "_RecordLines":
        return self

    def __next__(self) -> str:
        line = next(self._source)
        self.taken.append(line)
        self._size += len(line.data)
        if line.too_long:
            raise _BadRecord(f"longer than {LINE_CAP_WORDS}")
        if self._size > LINE_CAP:
            raise _BadRecord(f"a quoted cell is not closed within {LINE_CAP_WORDS}")
        if len(self.taken) > _RECORD_LINES:
            raise _BadRecord(f"a quoted cell is not closed within {_RECORD_LINES:,} lines")
        try:
            return line.data.decode()
        except UnicodeDecodeError:
            self.is_utf8 = False
            return line.data.decode(errors="surrogateescape")


class CsvRecords:
    """Iterates over the records of a CSV as (lines taken, fields) or BadLine.

    Of a record that cannot be read only its first line is put aside and the rest is read again: an
    unclosed quote costs one line, not the file.
    """

    def __init__(self, source: LineSource) -> None:
        self._source = source
        self._lines = _RecordLines(source)
        self._reader = csv.reader(self._lines, strict=True)
        self._bytes_read_again = 0

    def __iter__(self) -> "CsvRecords":
        return self

    def __next__(self) -> tuple[list[Line], list[str]] | BadLine:
        self._lines.start()
        try:
            fields = next(self._reader)
        except _BadRecord as error:
            return self.put_aside(self._lines.taken, str(error))
        except csv.Error as error:
            return self.put_aside(self._lines.taken, f"not CSV: {error}")
        if not self._lines.is_utf8:
            return BadLine(self._lines.taken[0].number, "not UTF-8", _joined(self._lines.taken))
        return self._lines.taken, fields

    def put_aside(self, taken: Sequence[Line], reason: str) -> BadLine:
        first, rest = taken[0], taken[1:]
        size = sum(len(line.data) for line in rest)
        if self._bytes_read_again + size > _REREAD_FACTOR * self._source.bytes_read:
            return BadLine(first.number, reason, _joined(taken))
        self._bytes_read_again += size
        self._source.put_back(rest)
        return BadLine(first.number, reason, first.data)


class CsvTable:
    """Reads the rows under a header. Columns that are not kept are passed over; those missing are empty."""

    title = "CSV"

    def __init__(self, header: Sequence[str]) -> None:
        self._take_header(header)

    @classmethod
    def plain_header(cls, names: Sequence[str]) -> list[str]:
        """The columns' names; Unrecognised when this kind of CSV does not write them so."""
        return list(names)

    def items(self, export: OpenExport, cells: CellReader) -> Iterator[Item]:
        read: list[tuple[Cells, list[Line]]] = []
        size = 0
        try:
            for found in self._found(CsvRecords(export.lines)):
                if isinstance(found, BadLine):
                    yield from finished(cells, read, _bad_line)
                    yield found
                    read, size = [], 0
                    continue
                read.append(found)
                size += sum(len(line.data) for line in found[1])
                if len(read) >= ROWS or size >= BYTES:
                    yield from finished(cells, read, _bad_line)
                    read, size = [], 0
        except BrokenOff:
            yield from finished(cells, read, _bad_line)
            raise
        yield from finished(cells, read, _bad_line)

    def _found(self, records: CsvRecords) -> Iterator[tuple[Cells, list[Line]] | BadLine]:
        next(records)  # the header
        for record in records:
            if isinstance(record, BadLine):
                yield record
                continue
            taken, fields = record
            if not fields or self._is_header(fields):
                continue
            if len(fields) == self._width:
                yield self._row(fields), taken
            else:
                yield records.put_aside(taken, f"{len(fields)} cells under a header of {self._width}")

    def _take_header(self, header: Sequence[str]) -> None:
        self._width = len(header)
        positions = {name: i for i, name in enumerate(header)}
        self._times = [positions[name] for name in TIME_NAMES if name in positions]
        # An empty field is put behind the last one, for the columns that the file lacks.
        self._pick = itemgetter(*(positions.get(name, self._width) for name in RECORDED))
        self._time_cell = list(RECORDED).index(TIME_COLUMN)

    def _is_header(self, fields: Sequence[str]) -> bool:
        """Files that were put behind each other have several; from here on this one counts."""
        if FILE_COLUMN not in fields:
            return False
        try:
            header = self.plain_header(fields)
            check_header(header)
        except Unrecognised:
            return False
        self._take_header(header)
        return True

    def _row(self, fields: list[str]) -> Cells:
        time = next((fields[i] for i in self._times if fields[i]), "")
        fields.append("")
        row: Cells = list(self._pick(fields))
        row[self._time_cell] = time
        return row


def read_header(lines: LineSource) -> list[str]:
    """The header's names, as they stand."""
    try:
        record = next(CsvRecords(lines))
    except StopIteration:
        raise Unrecognised("there is no header") from None
    if isinstance(record, BadLine):
        raise Unrecognised(f"the first line is no CSV header: {record.reason}")
    return [name.strip() for name in record[1]]


def check_header(header: Sequence[str]) -> None:
    """Raises Unrecognised unless these are columns of DeviceNetworkEvents that answer the question."""
    missing = []
    if FILE_COLUMN not in header:
        missing.append(FILE_COLUMN)
    if not any(name in header for name in ENDPOINT_COLUMNS):
        missing.append(" or ".join(ENDPOINT_COLUMNS))
    if not any(name in header for name in TIME_NAMES):
        missing.append(" or ".join(TIME_NAMES))
    if missing:
        raise Unrecognised(f"no CSV of DeviceNetworkEvents: there is no column {', '.join(missing)}")
    twice = sorted({name for name in header if header.count(name) > 1 and name in RECORDED})
    if twice:
        raise Unrecognised(f"column {', '.join(twice)} is there twice")


def _bad_line(taken: Sequence[Line], reason: str) -> BadLine:
    return BadLine(taken[0].number, reason, _joined(taken))


def _joined(lines: Sequence[Line]) -> bytes:
    return b"".join(line.data for line in lines)
