from __future__ import annotations

from cases.watchlists.formats.base import Format, ListEntry, Said
from cases.watchlists.formats.exact import refusal
from cases.watchlists.formats.spelled import csv_row, free_text, moment

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
        return Said(
            csv_row(
                entry.value,
                entry.kind,
                entry.verdict,
                free_text(entry.reason, _LONGEST_REASON),
                entry.case,
                free_text(entry.decided_by, _LONGEST_NAME_OF_PERSON),
                moment(entry.decided_at),
                None if entry.expires_at is None else moment(entry.expires_at),
                entry.decision,
            )
        )
