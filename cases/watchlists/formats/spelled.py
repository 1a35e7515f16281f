"""How times and people's words are spelled in files."""

from __future__ import annotations

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
    line = _UNPRINTABLE.sub(" ", text).strip()
    if len(line) > longest:
        line = line[: longest - 1] + "…"
    return defused(line)


def defused(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def csv_row(*cells: object) -> str:
    """RFC 4180. Most rows have nothing to quote, and finding that out at once is what makes this quick."""
    line = ",".join(map(str, cells))
    if line.count(",") == len(cells) - 1 and _NEEDS_QUOTES_BESIDES_COMMAS.search(line) is None:
        return f"{line}\r\n"
    return ",".join(_quoted(str(cell)) for cell in cells) + "\r\n"


_NEEDS_QUOTES_BESIDES_COMMAS = re.compile(r'["\r\n]')
_NEEDS_QUOTES = re.compile(r'[",\r\n]')


def _quoted(cell: str) -> str:
    if _NEEDS_QUOTES.search(cell) is None:
        return cell
    return '"' + cell.replace('"', '""') + '"'
