from __future__ import annotations

from cases.watchlists.formats.base import Format, ListEntry, Said
from cases.watchlists.formats.exact import refusal
from cases.watchlists.formats.spelled import cell, free_text, moment, person_cell

# Sentinel refuses lines over 10,240 characters and rows over 10 KB; four bytes a character still fit.
_LONGEST_REASON = 1_000
_LONGEST_NAME_OF_PERSON = 200


class SentinelCsv(Format):
    """A Microsoft Sentinel watchlist: upload it with `Value` as the search key.

    Sentinel takes the column names as names of KQL columns. Free text is defused for spreadsheets. Values
    never are: they must match, and their strict form leaves no room for a formula.
    """

    slug = "sentinel-csv"
    label = "Sentinel watchlist (CSV)"
    media_type = "text/csv; charset=utf-8"
    extension = "csv"

    def opening(self) -> str:
        return "Value,Kind,Verdict,Reason,Case,DecidedBy,DecidedAt,Expires,Decision\r\n"

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        kind, value, verdict, reason, decided_by, decided_at, expires_at, case, decision, *_ = entry
        return Said(
            f"{value},{kind},{verdict},{cell(free_text(reason, _LONGEST_REASON))},"
            f"{'' if case is None else case},{person_cell(decided_by, _LONGEST_NAME_OF_PERSON)},"
            f"{moment(decided_at)},{'' if expires_at is None else moment(expires_at)},{decision}\r\n"
        )
