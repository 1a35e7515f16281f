"""How Defender says an entry: single public addresses, and domains, which always have their subdomains."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import NamedTuple

from cases.watchlists.formats.base import How, ListEntry, Said, left_out
from cases.watchlists.formats.exact import eight_groups, refusal

_NO_NETWORKS = left_out("a network: Defender takes single addresses only")
_NOT_PUBLIC = left_out("not a public address: Defender refuses those")
_WOULD_WIDEN = left_out("Defender would take the names below along, and not all of them are known as blocked")
# How an IPv4 address begins that may not be public; reading every address would take most of the time.
_MAYBE_INSIDE = re.compile(r"(?:0|10|100|127|169|172|192|198|203|22[4-9]|2[3-5][0-9])\.", re.ASCII)


class Indicator(NamedTuple):
    type: str
    value: str
    how: How = How.EXACT
    why: str = ""


def indicator_of(entry: ListEntry) -> Indicator | Said:
    """Or why it is left out."""
    if refused := refusal(entry):
        return refused
    match entry.kind:
        case "network":
            return _NO_NETWORKS
        case "address":
            if not _is_public(entry.value):
                return _NOT_PUBLIC
            return Indicator("IpAddress", eight_groups(entry.value) if ":" in entry.value else entry.value)
        case "below":
            return Indicator("DomainName", entry.value)
        case _ if entry.may_widen and entry.verdict == "blocked":
            return Indicator("DomainName", entry.value, How.WIDER, "subdomains too")
        case _:
            return _WOULD_WIDEN


def _is_public(address: str) -> bool:
    if ":" not in address and _MAYBE_INSIDE.match(address) is None:
        return True
    return ip_address(address).is_global
