"""The small facts that a value tells by itself; what the case knows of it stands in the row's marks."""

from __future__ import annotations

import ipaddress

import idna

from cases.views.marks import Mark, Rank

AT_MOST = 2


def signals_of(value: str, kind: str, *, is_new: bool, decided: int, endpoints: int) -> list[Mark]:
    found = []
    if is_new:
        found.append(Mark(Rank.NEW, "tag tag-new", "new"))
    if 0 < decided < endpoints:
        found.append(Mark(Rank.NATURE, "tag", f"{decided} of {endpoints} decided"))
    if kind == "name":
        found += _of_name(value)
    elif kind == "address":
        found += _of_address(value)
    else:
        found.append(Mark(Rank.NATURE, "tag", "unreadable, kept as text"))
    return found


def _of_name(name: str) -> list[Mark]:
    if "xn--" in name:
        try:
            return [Mark(Rank.LOOKALIKE, "tag tag-known", f"shown: {idna.decode(name)}")]
        except idna.IDNAError:
            return [Mark(Rank.LOOKALIKE, "tag tag-known", "not a real IDN")]
    if name.endswith(".arpa"):
        return [Mark(Rank.NATURE, "tag", "reverse lookup")]
    if "." not in name or name.endswith((".local", ".internal", ".lan", ".corp", ".home.arpa")):
        return [Mark(Rank.NATURE, "tag", "internal name")]
    return []


def _of_address(text: str) -> list[Mark]:
    address = ipaddress.ip_address(text)
    for is_so, words in (
        (address.is_loopback, "this machine"),
        (address.is_link_local, "link local"),
        (address.is_multicast, "multicast"),
        (address.is_private and not _is_documentation(address), "internal address"),
        (address.is_reserved or address.is_unspecified, "reserved"),
    ):
        if is_so:
            return [Mark(Rank.NATURE, "tag", words)]
    return []


_DOCUMENTATION = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
)


def _is_documentation(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Python calls these private; a reader would not call them internal."""
    return any(address in network for network in _DOCUMENTATION)
