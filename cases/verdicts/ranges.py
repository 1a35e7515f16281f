"""Addresses and names that mean something by themselves: private, reserved, shared, and our own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from cases.verdicts.subject import Network, Subject, SubjectKind


@dataclass(frozen=True, slots=True)
class Range:
    """`is_published`: a watchlist may carry it; the others are held back, so that nobody cuts them off."""

    text: str
    words: str
    is_published: bool = False
    is_own: bool = False


# RFC 6890 and the registries of special-purpose addresses and names that IANA keeps.
_ADDRESSES = (
    Range("10.0.0.0/8", "private (RFC 1918)"),
    Range("172.16.0.0/12", "private (RFC 1918)"),
    Range("192.168.0.0/16", "private (RFC 1918)"),
    Range("fc00::/7", "private (unique local)"),
    Range("100.64.0.0/10", "shared behind the address translation of providers (RFC 6598)"),
    Range("127.0.0.0/8", "the machine itself"),
    Range("::1/128", "the machine itself"),
    Range("169.254.0.0/16", "link-local"),
    Range("fe80::/10", "link-local"),
    Range("168.63.129.16/32", "Azure's platform, which every virtual machine there needs"),
    Range("224.0.0.0/4", "multicast"),
    Range("ff00::/8", "multicast"),
    Range("0.0.0.0/8", "reserved"),
    Range("240.0.0.0/4", "reserved"),
    Range("::/128", "reserved"),
    # Nothing is there, so nothing can be cut off.
    Range("192.0.2.0/24", "for documentation", is_published=True),
    Range("198.51.100.0/24", "for documentation", is_published=True),
    Range("203.0.113.0/24", "for documentation", is_published=True),
    Range("2001:db8::/32", "for documentation", is_published=True),
    Range("3fff::/20", "for documentation", is_published=True),
)
_NAMES = (
    Range("localhost", "the machine itself", is_published=True),
    Range("local", "the local network (multicast DNS)", is_published=True),
    Range("internal", "private networks", is_published=True),
    Range("home.arpa", "home networks", is_published=True),
    Range("onion", "the Tor network", is_published=True),
    Range("test", "tests", is_published=True),
    Range("invalid", "names that never resolve", is_published=True),
    Range("example", "documentation", is_published=True),
)
NEVER_PUBLISHED = tuple(each.text for each in _ADDRESSES if not each.is_published)


def ranges_of(
    subject: Subject, *, own_networks: Sequence[str] = (), own_names: Sequence[str] = ()
) -> list[Range]:
    """The ranges that share an address or a name with the subject, our own first."""
    if subject.kind in {SubjectKind.ADDRESS, SubjectKind.NETWORK}:
        own = [Range(text, "our own", is_own=True) for text in own_networks]
        network = _network(subject.text)
        return [each for each in (*own, *_ADDRESSES) if _overlap(_network(each.text), network)]
    if subject.kind in {SubjectKind.NAME, SubjectKind.BELOW}:
        own = [Range(text, "our own", is_own=True) for text in own_names]
        return list(_touched(subject, (*own, *_NAMES)))
    return []


def _touched(subject: Subject, ranges: Iterable[Range]) -> Iterable[Range]:
    for each in ranges:
        below = Subject(SubjectKind.BELOW, each.text)
        if below.covers(subject) or subject.covers(below):
            yield each


@lru_cache(maxsize=1_000)
def _network(text: str) -> Network:
    return ip_network(text)


def _overlap(one: Network, other: Network) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)
