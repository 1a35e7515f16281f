"""From what a reader found in a row to what is stored."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hunts.telemetry.columns import RECORDED, TIME_COLUMN
from hunts.telemetry.times import read_time_text, read_time_text_again, read_time_texts

Read = Callable[[object], str | None]

# What a reader found: one cell per column of RECORDED.
Cells = list[Any]
# What is staged: the same as text. "" is the empty text in a text column and NULL in any other.
Row = Sequence[str]

COLUMN_NAMES = tuple(RECORDED)
_TIME_INDEX = COLUMN_NAMES.index(TIME_COLUMN)
_REPORT_INDEX = COLUMN_NAMES.index("ReportId")

# No event of this table is older than its clock's zero; year 0001 is how .NET writes "no time".
_OLDEST = "1970"
_NO_YEAR = "0001"

_NONE = type(None)
_NOTHING = frozenset((None, ""))
_TEXT_OR_NONE = frozenset((str, _NONE))
# Where equal values are the same value: 1 and True are not.
_ALIKE: tuple[set[type], ...] = ({str}, {int}, {bool})


class BadCell(Exception):
    """A cell without which the row means nothing."""


class CellReader:
    """Reads the typed cells of rows, in place.

    The time and the ReportId say which event a row is: when they cannot be read the row is put aside.
    Any other typed cell that cannot be read becomes NULL and is counted in `unread`, by column.
    """

    def __init__(self) -> None:
        self.unread: Counter[str] = Counter()
        # UTC days, in ISO form, of the rows so far.
        self.days: set[str] = set()
        # No clock is fast by more unless it is altogether wrong, and retention would never let such a day go.
        self._too_late = (datetime.now(UTC).date() + timedelta(days=2)).isoformat()

    def finish(self, cells: Cells) -> Row:
        """Wants, per column, text or a JSON value or None."""
        cells[_TIME_INDEX] = self._event_time(cells[_TIME_INDEX])
        report = cells[_REPORT_INDEX]
        if report is not None and report != "":
            try:
                cells[_REPORT_INDEX] = _long(report)
            except ValueError as error:
                raise BadCell(f"ReportId: {error}") from error
        for index, name, read in _TYPED:
            cells[index] = self._cell(cells[index], name, read)
        if not _TEXT_OR_NONE.issuperset(map(type, cells)):
            cells = [_as_text(value) for value in cells]
        # A cell that is false by now is None or "".
        return [cell or "" for cell in cells]

    def finish_together(self, rows: Sequence[Cells]) -> list[Row] | None:
        """What `finish` gives for each, a column at a time, which takes a third as long.

        None, and nothing is counted, when the time or the ReportId of any of them cannot be read.
        """
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        try:
            columns[_TIME_INDEX] = self._event_times(columns[_TIME_INDEX])
            columns[_REPORT_INDEX] = _read_column(_long, columns[_REPORT_INDEX])
        except (BadCell, ValueError):
            return None
        for index, name, read in _TYPED:
            columns[index] = self._column(columns[index], name, read)
        return list(zip(*map(_texts, columns), strict=True))

    def _event_times(self, column: Sequence[Any]) -> Sequence[str]:
        if set(map(type, column)) == {str}:
            times = read_time_texts(column)
            if min(times) >= _OLDEST and max(times) < self._too_late:
                self.days.update({text[:10] for text in times})
                return times
        return list(map(self._event_time, column))

    def _event_time(self, value: object) -> str:
        if not isinstance(value, str) or value == "":
            raise BadCell("no time")
        try:
            text = read_time_text(value)
        except ValueError as error:
            raise BadCell(f"time: {error}") from error
        if text < _OLDEST:
            raise BadCell(f"time {value[:40]!r} is before 1970")
        if text >= self._too_late:
            raise BadCell(f"time {value[:40]!r} is later than tomorrow")
        self.days.add(text[:10])
        return text

    def _column(self, column: Sequence[Any], name: str, read: Read) -> Sequence[str | None]:
        try:
            return _read_column(read, column)
        except ValueError:
            return [self._cell(cell, name, read) for cell in column]

    def _cell(self, value: object, name: str, read: Read) -> str | None:
        if value is None or value == "":
            return None
        try:
            return read(value)
        except ValueError:
            self.unread[name] += 1
            return None


def _read_column(read: Read, column: Sequence[Any]) -> Sequence[str | None]:
    kinds = set(map(type, column))
    if kinds == {_NONE}:
        return column
    if kinds - {_NONE} in _ALIKE:
        # Most are of few values.
        values = list(set(column) - _NOTHING)
        known = dict(zip(values, _known_times(values) if read is _time else map(read, values), strict=True))
        return list(map(known.get, column))
    return [None if value is None or value == "" else read(value) for value in column]


def _known_times(values: Sequence[Any]) -> Sequence[str | None]:
    if set(map(type, values)) != {str}:
        return list(map(_time, values))
    return [None if text.startswith(_NO_YEAR) else text for text in read_time_texts(values)]


def _texts(column: Sequence[Any]) -> Sequence[str]:
    kinds = set(map(type, column))
    if kinds == {str}:
        return column
    if kinds == {_NONE}:
        return ("",) * len(column)
    return list(map(_as_text, column))


def _as_text(value: object) -> str:
    """A JSON value in a text column: what was recorded, null as ""."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _time(value: object) -> str | None:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no time")
    text = read_time_text_again(value)
    return None if text.startswith(_NO_YEAR) else text


def _whole(bits: int) -> Callable[[object], str]:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def read(value: object) -> str:
        if type(value) is int and 0 <= value <= high:
            return str(value)
        number = _whole_number(value)
        if not low <= number <= high:
            raise ValueError(f"{str(value)[:40]} does not fit {bits} bits")
        return str(number)

    return read


def _whole_number(value: object) -> int:
    """Also reads `443.0`, which spreadsheets and data frames make of a column with gaps."""
    if isinstance(value, bool):
        raise ValueError(f"{value} is no number")
    if isinstance(value, int):
        return value
    text = str(value)
    digits = text.removeprefix("-").removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
        raise ValueError(f"{text[:40]!r} is no whole number")
    return int(text.removesuffix(".0"))


def _truth(value: object) -> str:
    text = str(value).lower()
    if text in ("true", "1"):
        return "true"
    if text in ("false", "0"):
        return "false"
    raise ValueError(f"{str(value)[:40]!r} is neither true nor false")


_long = _whole(64)
_READERS: dict[str, Callable[[object], str | None]] = {
    "TIMESTAMP": _time,
    "INTEGER": _whole(32),
    "BIGINT": _long,
    "BOOLEAN": _truth,
}
_TYPED = tuple(
    (index, name, _READERS[kind])
    for index, (name, kind) in enumerate(RECORDED.items())
    if kind != "VARCHAR" and name not in (TIME_COLUMN, "ReportId")
)
