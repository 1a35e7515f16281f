"""What one row of an answer says about the other end: an address, a name, or text nobody can read.

`observe` is total: whatever a source wrote, something comes back and nothing raises.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Literal

import idna

Kind = Literal["name", "address", "text"]

LONGEST_TEXT = 255
_LONGEST_NAME = 253
_LONGEST_LABEL = 63
_EMPTY = frozenset({"", "-", '""', "null"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# A backslash ends the host too: browsers read it as a slash.
_END_OF_HOST = re.compile(r"[/?#\\]")
_PORT = re.compile(r":[0-9]*\Z", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_-]+\Z", re.ASCII)
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!\Z)|\Z)){4}\Z", re.ASCII)
# A last label that is a number makes a host an address in an unusual spelling, never a name.
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)\Z", re.ASCII)
# Stands between the first characters of a text that was cut and the hash of the whole. No name holds a space.
_CUT = " … sha256:"
_WAS_CUT = re.compile(re.escape(_CUT) + r"[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class Observed:
    """The address and the name of one row, normalised.

    `dns_ip` is set when an address stands where a name belongs and differs from `ip`: `dns` then holds
    it as text and it governs like a name. `value` is what a reviewer decides on: the name, or the
    address when there is none.
    """

    ip: str | None
    dns: str
    dns_ip: str | None
    value: str
    kind: Kind

    @property
    def is_empty(self) -> bool:
        return not self.value


def observe(raw_ip: str, raw_dns: str) -> Observed:
    ip, unread_ip = _read_address_column(raw_ip)
    dns, dns_ip, kind = _read_name_column(raw_dns)
    if dns_ip is not None and ip is None:
        ip, dns, dns_ip = dns_ip, "", None
    elif dns_ip is not None and dns_ip == ip:
        dns, dns_ip = "", None
    if dns:
        return Observed(ip, dns, dns_ip, dns, kind)
    if ip is None and unread_ip:
        return Observed(None, unread_ip, None, unread_ip, "text")
    return Observed(ip, "", None, ip or "", "address")


def visible(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text in a form that PostgreSQL keeps: NUL as U+2400, lone surrogates spelled out, the rest cut.

    A cut text ends in a hash of the whole, so that two long texts stay two.
    """
    if len(text) <= longest and text.isascii() and "\0" not in text:
        return text
    shown = text.replace("\0", "\u2400").encode("utf-8", "backslashreplace").decode("utf-8")
    if len(shown) <= longest:
        return shown
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{shown[:longest]}{_CUT}{digest[:32]}"


def is_storable(text: str) -> bool:
    """Whether PostgreSQL keeps the text as it is: no NUL, no lone surrogates."""
    return visible(text, len(text)) == text


def was_cut(text: str) -> bool:
    """Whether this is the beginning of a longer text, which therefore matches nothing outside."""
    return _WAS_CUT.search(text) is not None


def read_address(text: str) -> str | None:
    """The canonical spelling of an IPv4 or IPv6 address, or None. Zone ids go, mapped IPv4 is unmapped."""
    if ":" not in text:
        return text if _IPV4.match(text) else None
    try:
        address = IPv6Address(text.partition("%")[0])
    except ValueError:
        return None
    return str(address.ipv4_mapped or address)


def _read_address_column(raw: str) -> tuple[str | None, str]:
    """The address, or the text that stands where one belongs."""
    text = raw.strip()
    if text.lower() in _EMPTY:
        return None, ""
    address = read_address(text) or read_address(_without_port(text))
    return (address, "") if address else (None, visible(text))


def _read_name_column(raw: str) -> tuple[str, str | None, Kind]:
    """(name or text, the address it is when it is one, kind)"""
    text = raw.strip()
    if text.lower() in _EMPTY:
        return "", None, "name"
    host = host_of(text)
    if address := read_address(host):
        return address, address, "address"
    name = read_name(host)
    if name is None:
        return visible(text), None, "text"
    # "-." and "null:443" say as little as "-" and "null" do.
    if name in _EMPTY:
        return "", None, "name"
    if address := read_address(name):
        return address, address, "address"
    if _NUMBER.match(name.rpartition(".")[2]):
        return visible(text), None, "text"
    return name, None, "name"


def host_of(text: str) -> str:
    """The host of a URL, of `host:port` or of a bare host; not yet checked to be one."""
    if read_address(text):
        return text
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text.removeprefix("//")
    authority = _END_OF_HOST.split(rest, maxsplit=1)[0]
    return _without_port(authority.rpartition("@")[2])


def _without_port(host: str) -> str:
    """Takes a port and the brackets of an IPv6 address away."""
    if host.startswith("["):
        inside, closed, after = host[1:].partition("]")
        return inside if closed and (not after or _PORT.match(after)) else host
    return _PORT.sub("", host)


def read_name(host: str) -> str | None:
    """The name in lower-case ASCII without its trailing dot, or None when it is no name."""
    if host.isascii():
        mapped = host.lower()
    else:
        try:
            mapped = idna.uts46_remap(host, std3_rules=False, transitional=False)
        except idna.IDNAError:
            return None
    labels = [_ascii_label(label) for label in mapped.removesuffix(".").split(".")]
    if not all(label and len(label) <= _LONGEST_LABEL and _LABEL.match(label) for label in labels):
        return None
    name = ".".join(labels)
    return name if len(name) <= _LONGEST_NAME else None


def _ascii_label(label: str) -> str:
    """Punycode as browsers make it, which also takes the letters (emoji, say) that IDNA 2008 refuses."""
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
