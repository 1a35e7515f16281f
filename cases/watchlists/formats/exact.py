"""Which values a list can say letter by letter: names, addresses and networks in their one spelling."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_network

from cases.watchlists.formats.base import ListEntry, Said, left_out

UNREADABLE = left_out("unreadable text, which nothing outside would match")
_NO_NAME = left_out("not a name that a list can hold")
_NO_ADDRESS = left_out("not an address that a list can hold")
_NO_NETWORK = left_out("not a network that a list can hold")
_LONGEST_NAME = 253
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\Z", re.ASCII)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}\Z", re.ASCII)


def refusal(entry: ListEntry) -> Said | None:
    """Why no list can hold the value, or nothing."""
    kind, value = entry.kind, entry.value
    if kind == "address":
        return None if _IPV4.match(value) or _is_address(value) else _NO_ADDRESS
    if kind == "name" or kind == "below":
        return None if len(value) <= _LONGEST_NAME and _NAME.match(value) else _NO_NAME
    if kind == "network":
        return None if _is_network(value) else _NO_NETWORK
    return UNREADABLE


def _is_address(text: str) -> bool:
    try:
        return str(ip_address(text)) == text
    except ValueError:
        return False


def _is_network(text: str) -> bool:
    try:
        return str(ip_network(text)) == text
    except ValueError:
        return False


def eight_groups(address: str) -> str:
    """An IPv6 address with all its groups and no zeros in front, as Microsoft wants it."""
    packed = IPv6Address(address).packed
    return ":".join(f"{packed[at] << 8 | packed[at + 1]:x}" for at in range(0, 16, 2))
