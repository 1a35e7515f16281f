"""How times and people's words are spelled in files."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime

# Line breaks inside a cell, and what no reader of a table wants to meet.
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# A spreadsheet takes a cell that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def moment(at: datetime) -> str:
    """In whole seconds of UTC."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return f"{at.isoformat()[:19]}Z"


def free_text(text: str, longest: int) -> str:
    """One line, not too long, and never a formula."""
    return defused(one_line(text, longest))


def one_line(text: str, longest: int) -> str:
    # Most texts need nothing, and finding that out at once is what makes this quick.
    is_one_line = text.isprintable() and "  " not in text
    line = (text if is_one_line else _UNPRINTABLE.sub(" ", text)).strip()
    if len(line) > longest:
        line = line[: longest - 1] + "…"
    return line


def defused(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


class _Echo:
    """What a writer writes is what writing a row answers."""

    def write(self, text: str) -> str:
        return text


_WRITER = csv.writer(_Echo())


def csv_row(*cells: object) -> str:
    """RFC 4180; nothing for None."""
    row: str = _WRITER.writerow(cells)
    return row
