"""Which values a format can say letter by letter: names and addresses in their one spelling."""

from __future__ import annotations

import re
from ipaddress import ip_address

from cases.watchlists.formats.base import ListEntry

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\Z", re.ASCII)


def why_not_exact(entry: ListEntry) -> str:
    """Empty for a name or an address."""
    match entry.kind:
        case "name":
            return "" if _NAME.match(entry.value) else "not a name that a list can hold"
        case "address":
            return "" if _is_address(entry.value) else "not an address that a list can hold"
        case _:
            return "unreadable text, which nothing outside would match"


def _is_address(text: str) -> bool:
    try:
        return str(ip_address(text)) == text
    except ValueError:
        return False
