"""What a decision covers, how narrowly, and how it is read from what a person types."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import idna

from cases.domains import is_public_suffix
from cases.observed import host_of, observe, read_address

# Of an exact subject. A suffix counts its characters (253 at most), a network its prefix (128 at most).
EXACT = 1_000
WIDEST_IPV4 = 8
WIDEST_IPV6 = 19

Network = IPv4Network | IPv6Network


class SubjectKind(StrEnum):
    NAME = "name"
    BELOW = "below"
    ADDRESS = "address"
    NETWORK = "network"
    TEXT = "text"


# Looked up, which is much faster than made of their texts.
_KINDS = {kind.value: kind for kind in SubjectKind}
EXACT_KINDS = frozenset({SubjectKind.NAME, SubjectKind.ADDRESS, SubjectKind.TEXT})


class SubjectRefused(ValueError):
    """What was typed is no subject, or covers too much; the text says why in a sentence."""


class TooWide(SubjectRefused):
    """It would cover so much that nobody can mean it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """`text` is canonical, so equal things have equal texts; `below` keeps the name without its star."""

    kind: SubjectKind
    text: str

    @classmethod
    def of_value(cls, value: str, kind: str) -> Subject:
        """A value's exact subject."""
        return cls(_KINDS.get(kind) or SubjectKind(kind), value)

    @property
    def is_wide(self) -> bool:
        return self.kind not in EXACT_KINDS

    @property
    def specificity(self) -> int:
        """Of two subjects that cover the same thing the greater is the more specific."""
        if self.kind is SubjectKind.BELOW:
            return len(self.text)
        if self.kind is SubjectKind.NETWORK:
            return _network(self.text).prefixlen
        return EXACT

    def covers(self, other: Subject) -> bool:
        if self.kind is SubjectKind.BELOW:
            is_name = other.kind in {SubjectKind.NAME, SubjectKind.BELOW}
            return is_name and f".{other.text}".endswith(f".{self.text}")
        if self.kind is SubjectKind.NETWORK:
            if other.kind is SubjectKind.ADDRESS:
                return ip_address(other.text) in _network(self.text)
            return other.kind is SubjectKind.NETWORK and _is_within(_network(other.text), _network(self.text))
        return self == other

    @property
    def typed(self) -> str:
        """As a person would type it."""
        return f"*.{self.text}" if self.kind is SubjectKind.BELOW else self.text

    def __str__(self) -> str:
        return f"the text “{self.text}”" if self.kind is SubjectKind.TEXT else self.typed

    def in_words(self) -> str:
        """What it covers, in a sentence that leaves no doubt."""
        match self.kind:
            case SubjectKind.BELOW:
                return f"{self.text} and everything below it"
            case SubjectKind.NETWORK:
                network = _network(self.text)
                return f"the {network.num_addresses:,} addresses from {network[0]} to {network[-1]}"
            case SubjectKind.NAME:
                return f"exactly {self.text}, nothing below it"
            case _:
                return f"exactly {self}"


def suffixes_of(name: str) -> list[str]:
    """The name itself and every name above it, the longest first."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def networks_around(text: str) -> list[str]:
    """The network itself, or that of one address, and each around it that may be decided on."""
    network = _network(text)
    widest = WIDEST_IPV4 if network.version == 4 else WIDEST_IPV6
    return [str(network.supernet(new_prefix=length)) for length in range(widest, network.prefixlen + 1)]


def shown_form(name: str) -> str:
    """How an IDN looks to people, where that differs from its ASCII form; otherwise empty."""
    if "xn--" not in name:
        return ""
    try:
        return idna.decode(name)
    except idna.IDNAError:
        return ""


def read_subject(typed: str) -> Subject:
    """The subject that a person means: a name, `*.name`, an address, a network or a URL, also defanged."""
    text = _refanged(typed.strip())
    if not text:
        raise SubjectRefused("Type a name, *.name, an address, a network or a URL.")
    if "*" in text:
        return _read_below(text)
    if (network := _read_network(text)) is not None:
        return network
    if text.startswith("."):
        raise SubjectRefused(f"Write *{text} for {text[1:]} and everything below it.")
    seen = observe("", text)
    if seen.is_empty or seen.kind == "text":
        raise SubjectRefused(f"“{typed.strip()[:80]}” is no name, address or network.")
    return Subject(SubjectKind(seen.kind), seen.value)


_DEFANGED = re.compile(r"\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)|\[\.|\.\]", re.IGNORECASE)
_COLON = re.compile(r"\[:\]|\[://\]")
_DEFANGED_SCHEME = re.compile(r"\A(?:hxxp|htxp|hxtp|meow)(s?)(?=:)", re.IGNORECASE)


def _refanged(text: str) -> str:
    """Undoes what people do to a value so that nobody clicks it."""
    text = _COLON.sub(lambda found: found[0].strip("[]"), text)
    return _DEFANGED_SCHEME.sub(r"http\1", _DEFANGED.sub(".", text))


def _read_below(text: str) -> Subject:
    host = host_of(text)
    if host == "*" or host == "*.":
        raise TooWide("* alone would cover everything.")
    rest = host.removeprefix("*.")
    if rest == host or "*" in rest:
        raise SubjectRefused("A star stands at the beginning alone, before a dot, as in *.contoso.com.")
    seen = observe("", rest)
    if (seen.kind == "address" and seen.value) or read_address(rest):
        raise SubjectRefused("A star does not go with an address; write a network, as in 203.0.113.0/24.")
    if seen.is_empty or seen.kind != "name":
        raise SubjectRefused(f"“{rest[:80]}” is no name.")
    if is_public_suffix(seen.value):
        raise TooWide(
            f"*.{seen.value} is too wide: anybody can have a name below the public suffix {seen.value}. "
            "Name the domain in front of it."
        )
    return Subject(SubjectKind.BELOW, seen.value)


_CIDR = re.compile(r"\[?([0-9A-Fa-f:.]+)\]?/([0-9]{1,3})\Z", re.ASCII)


def _read_network(text: str) -> Subject | None:
    found = _CIDR.match(text)
    if found is None:
        return None
    try:
        network = _unmapped(ip_network(f"{found[1]}/{int(found[2])}", strict=False))
    except ValueError:
        # `contoso.com/12` is a URL; what begins like an address is meant as a network.
        if ":" not in found[1] and read_address(found[1]) is None:
            return None
        raise SubjectRefused(
            f"{text[:80]} is no network: the number behind the slash is too great."
        ) from None
    if network.prefixlen == network.max_prefixlen:
        return Subject(SubjectKind.ADDRESS, str(network.network_address))
    widest = WIDEST_IPV4 if network.version == 4 else WIDEST_IPV6
    if network.prefixlen < widest:
        raise TooWide(
            f"{network} is too wide: an IPv{network.version} network begins at /{widest}. "
            "Take the smaller networks that you mean."
        )
    return Subject(SubjectKind.NETWORK, str(network))


def _unmapped(network: Network) -> Network:
    """`::ffff:a.b.c.d/96+n` is the IPv4 network it stands for, as addresses are."""
    if network.version == 6 and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        return IPv4Network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network


@lru_cache(maxsize=10_000)
def _network(text: str) -> Network:
    return ip_network(text)


def _is_within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)
