from __future__ import annotations

import re
from ipaddress import ip_address

from cases.watchlists.formats.base import Format, How, ListEntry, Said, left_out
from cases.watchlists.formats.exact import eight_groups, refusal
from cases.watchlists.formats.spelled import csv_row, free_text, moment

_NO_NETWORKS = left_out("a network: Defender takes single addresses only")
_NOT_PUBLIC = left_out("not a public address: Defender refuses those")
_WOULD_WIDEN = left_out("Defender would take the names below along, and not all of them are known as blocked")
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
        if refused := refusal(entry):
            return refused
        match entry.kind:
            case "network":
                return _NO_NETWORKS
            case "address":
                if not _is_public(entry.value):
                    return _NOT_PUBLIC
                value = eight_groups(entry.value) if ":" in entry.value else entry.value
                return Said(_row("IpAddress", value, entry))
            case "below":
                return Said(_row("DomainName", entry.value, entry))
            case _ if entry.may_widen and entry.verdict == "blocked":
                return Said(_row("DomainName", entry.value, entry), How.WIDER, "subdomains too")
            case _:
                return _WOULD_WIDEN


# How an IPv4 address begins that may not be public; reading every address would take most of the time.
_MAYBE_INSIDE = re.compile(r"(?:0|10|100|127|169|172|192|198|203|22[4-9]|2[3-5][0-9])\.", re.ASCII)


def _is_public(address: str) -> bool:
    if ":" not in address and _MAYBE_INSIDE.match(address) is None:
        return True
    return ip_address(address).is_global


def _row(kind: str, value: str, entry: ListEntry) -> str:
    blocks = entry.verdict == "blocked"
    return csv_row(
        kind,
        value,
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
