"""What an import tells while it goes on and when it is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path


class Phase(StrEnum):
    CHECKING = "checking"
    WAITING = "waiting for another change"
    READING = "reading"
    SORTING = "sorting"
    REWRITING = "rewriting"
    PUBLISHING = "publishing"
    DONE = "done"


@dataclass(frozen=True)
class Progress:
    phase: Phase
    # Files checked, bytes read, days sorted or rewritten, or files published.
    done: int
    total: int
    rows: int = 0
    file: Path | None = None


@dataclass(frozen=True)
class ImportSummary:
    import_id: str
    files: int
    # Rows that could be read; each is either new or a double.
    rows_read: int
    new_rows: int
    doubles: int
    bad_lines: int
    # Where bad lines are kept with file, line number and reason; None when there were none.
    bad_lines_file: Path | None
    # Rows of other tables in a dump that holds several.
    other_rows: int
    # Cells that could not be read and were left empty, by column.
    unread_cells: Mapping[str, int]
    # Of the rows read:
    days: int
    first_day: date | None
    last_day: date | None
    devices: int
    names: int
    seconds: float
    # Rows of days that the source does not keep any more; they are left out.
    too_old: int = 0


Report = Callable[[Progress], None]


def tell_nobody(_: Progress) -> None:
    pass
