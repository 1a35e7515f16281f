"""What every reader of an export offers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from hunts.telemetry.cells import CellReader, Row
from hunts.telemetry.lines import LineSource


class Unrecognised(Exception):
    """A file that a reader does not read; the text says why, for the person who exported it."""


@dataclass(frozen=True, slots=True)
class BadLine:
    number: int
    reason: str
    data: bytes


class OtherTable:
    """A row of another table, as an Event Hub that carries several holds them."""


OTHER_TABLE = OtherTable()

Item = Row | BadLine | OtherTable


class Reader(Protocol):
    """A reader is made for one file, by `recognise` of its class or module."""

    title: str

    def items(self, lines: LineSource, cells: CellReader) -> Iterator[Item]: ...
