"""How times and people's words are spelled in files."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

# Line breaks inside a cell, and what no reader of a table wants to meet.
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# A spreadsheet takes a cell that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))


def moment(at: datetime) -> str:
    """In whole seconds of UTC."""
    return f"{seconds(at)}Z"


def seconds(at: datetime) -> str:
    """Of UTC, without its letter."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    # An aware moment's own isoformat() takes three times as long: it spells the offset out, too.
    return f"{_day(at.date())}T{_TWO_DIGITS[at.hour]}:{_TWO_DIGITS[at.minute]}:{_TWO_DIGITS[at.second]}"


@lru_cache(maxsize=4_000)
def _day(of: date) -> str:
    return of.isoformat()


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


def cell(text: str) -> str:
    """RFC 4180: in quotes only where it must be."""
    if '"' in text or "," in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


# The same few people decide whole lists.
@lru_cache(maxsize=1_000)
def person_cell(text: str, longest: int) -> str:
    return cell(free_text(text, longest))


def csv_row(*cells: str) -> str:
    return ",".join(map(cell, cells)) + "\r\n"
