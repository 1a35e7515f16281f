from __future__ import annotations

from cases.watchlists.formats.base import Format, ListEntry, Said
from cases.watchlists.formats.spelled import cell, free_text, moment, person_cell

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
        kind, value, verdict, reason, decided_by, decided_at, expires_at, case, decision, *_ = entry
        return Said(
            f"{kind},{cell(free_text(value, _LONGEST_CELL))},{verdict},"
            f"{cell(free_text(reason, _LONGEST_CELL))},{'' if case is None else case},"
            f"{person_cell(decided_by, _LONGEST_CELL)},{moment(decided_at)},"
            f"{'' if expires_at is None else moment(expires_at)},{decision}\r\n"
        )
