from __future__ import annotations

from cases.watchlists.formats.base import Format, ListEntry, Said
from cases.watchlists.formats.spelled import csv_row, free_text, moment

_LONGEST_CELL = 2_000


class WholeCsv(Format):
    """Everything, for people with a spreadsheet. Every cell that could be a formula is defused."""

    slug = "csv"
    label = "CSV"
    media_type = "text/csv; charset=utf-8"
    extension = "csv"

    def opening(self) -> str:
        return "kind,value,verdict,reason,case,decided_by,decided_at,expires_at,decision\r\n"

    def say(self, entry: ListEntry) -> Said:
        return Said(
            csv_row(
                entry.kind,
                free_text(entry.value, _LONGEST_CELL),
                entry.verdict,
                free_text(entry.reason, _LONGEST_CELL),
                entry.case,
                free_text(entry.decided_by, _LONGEST_CELL),
                moment(entry.decided_at),
                None if entry.expires_at is None else moment(entry.expires_at),
                entry.decision,
            )
        )
