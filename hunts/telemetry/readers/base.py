"""What every reader of an export offers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hunts.telemetry.cells import CellReader, Row

if TYPE_CHECKING:
    from hunts.telemetry.exports import OpenExport


class Unrecognised(Exception):
    """A file that no reader reads, or that must not be read; the text says why, for who exported it."""


@dataclass(frozen=True, slots=True)
class BadLine:
    number: int
    reason: str
    data: bytes


class OtherTable:
    """A row of another table, as an Event Hub that carries several holds them."""


OTHER_TABLE = OtherTable()

# Rows come many at once.
Item = list[Row] | BadLine | OtherTable


class Reader(Protocol):
    """A reader is made for one export, by `recognise` of its module.

    What breaks off in the middle raises BrokenOff, after the rows before it.
    """

    title: str

    def items(self, export: OpenExport, cells: CellReader) -> Iterator[Item]: ...
