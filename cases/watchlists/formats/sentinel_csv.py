from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import StringIO

from cases.watchlists.formats.base import ListEntry
from cases.watchlists.formats.exact import why_not_exact

# Sentinel takes the column names as names of KQL columns. `Value` is the search key.
HEADER = ("Value", "Kind", "Verdict", "Reason", "Case", "DecidedBy", "DecidedAt", "Expires", "Decision")
# Sentinel refuses lines over 10,240 characters and rows over 10 KB; four bytes a character still fit.
_LONGEST_REASON = 1_000
_LONGEST_NAME_OF_PERSON = 200
# Line breaks inside a cell, and what no reader of a table wants to meet.
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# A spreadsheet takes a cell that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


class SentinelCsv:
    """A Microsoft Sentinel watchlist: upload it with `Value` as the search key.

    Free text is defused for spreadsheets. Values never are: they must match, and their strict
    form leaves no room for a formula.
    """

    slug = "sentinel-csv"
    label = "Sentinel watchlist (CSV)"
    media_type = "text/csv; charset=utf-8"
    extension = "csv"

    def left_out(self, entry: ListEntry) -> str:
        return why_not_exact(entry)

    def covers(self, entry: ListEntry) -> bool:
        return not self.left_out(entry)

    def write(self, entries: Iterable[ListEntry]) -> Iterator[str]:
        buffer = StringIO()
        table = csv.writer(buffer, lineterminator="\r\n")
        table.writerow(HEADER)
        for entry in entries:
            if self.covers(entry):
                table.writerow(_cells(entry))
            yield _drained(buffer)
        yield _drained(buffer)


def _drained(buffer: StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _cells(entry: ListEntry) -> tuple[object, ...]:
    return (
        entry.value,
        entry.kind,
        entry.verdict,
        _free_text(entry.reason, _LONGEST_REASON),
        "" if entry.case is None else entry.case,
        _free_text(entry.decided_by, _LONGEST_NAME_OF_PERSON),
        _moment(entry.decided_at),
        "" if entry.expires_at is None else _moment(entry.expires_at),
        entry.decision,
    )


def _free_text(text: str, longest: int) -> str:
    """One line, not too long, and never a formula."""
    line = _UNPRINTABLE.sub(" ", text).strip()
    if len(line) > longest:
        line = line[: longest - 1] + "…"
    return f"'{line}" if line.startswith(_FORMULA) else line


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
