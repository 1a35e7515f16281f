from __future__ import annotations

from cases.watchlists.formats.base import Format, ListEntry, Said
from cases.watchlists.formats.indicators import Indicator, indicator_of
from cases.watchlists.formats.spelled import csv_row, free_text, moment

_LONGEST_TEXT = 500


class DefenderCsv(Format):
    """Indicators for the portal's import, which takes 500 rows a file. A domain there has its subdomains."""

    slug = "defender-csv"
    label = "Defender indicators (CSV)"
    media_type = "text/csv; charset=utf-8"
    extension = "csv"
    rows_in_part = 500

    def opening(self) -> str:
        return (
            "indicatorType,indicatorValue,expirationTime,action,severity,title,description,"
            "recommendedActions,rbacGroups,category,mitretechniques,GenerateAlert\r\n"
        )

    def say(self, entry: ListEntry) -> Said:
        said = indicator_of(entry)
        return Said(_row(said, entry), said.how, said.why) if isinstance(said, Indicator) else said


def _row(indicator: Indicator, entry: ListEntry) -> str:
    blocks = entry.verdict == "blocked"
    return csv_row(
        indicator.type,
        indicator.value,
        "" if entry.expires_at is None else f"{moment(entry.expires_at)[:-1]}.0Z",
        "Block" if blocks else "Allowed",
        "Medium" if blocks else "Informational",
        f"Footprint decision {entry.decision}",
        free_text(entry.reason, _LONGEST_TEXT) or "No reason was given.",
        "",
        "",
        "SuspiciousActivity" if blocks else "",
        "",
        "FALSE",
    )
