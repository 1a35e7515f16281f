from __future__ import annotations

from cases.watchlists.formats.base import Format, ListEntry, Said
from cases.watchlists.formats.indicators import Indicator, indicator_of
from cases.watchlists.formats.spelled import cell, free_text, seconds

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
    ends = "" if entry.expires_at is None else f"{seconds(entry.expires_at)}.0Z"
    reason = cell(free_text(entry.reason, _LONGEST_TEXT)) or "No reason was given."
    return (
        f"{indicator.type},{indicator.value},{ends},{'Block' if blocks else 'Allowed'},"
        f"{'Medium' if blocks else 'Informational'},Footprint decision {entry.decision},{reason},"
        f",,{'SuspiciousActivity' if blocks else ''},,FALSE\r\n"
    )
