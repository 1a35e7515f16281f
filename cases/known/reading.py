"""What one line of a known list says: a name, a name with everything below it, an address or a network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network

from cases.observed import host_of, read_address, read_name

# Most lines are plain names and need no more than one look.
_PLAIN_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}\Z", re.ASCII)
_NETWORK = re.compile(r"([0-9A-Fa-f:.]+)/([0-9]{1,3})\Z", re.ASCII)
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)\Z", re.ASCII)
_LONGEST_NAME = 253
_LONGEST_SHOWN = 80


class Unread(ValueError):
    """The line is no name, address or network; the text says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Either `name` or `network` is given; `below` takes the names below the name along."""

    name: str
    below: bool
    network: str | None


def read_entry(line: str, *, names_with_below: bool) -> Entry:
    """`names_with_below`: the list means every name with all below it, even without a star or a dot."""
    text = line.strip()
    if _PLAIN_NAME.match(text) and len(text) <= _LONGEST_NAME:
        return Entry(text, names_with_below, None)
    if (network := _read_network(text)) is not None:
        return Entry("", False, network)
    return _read_name(text, names_with_below)


def _read_network(text: str) -> str | None:
    if found := _NETWORK.match(text):
        return _network(found[1], int(found[2]))
    address = read_address(text.strip("[]"))
    return f"{address}/{128 if ':' in address else 32}" if address else None


def _network(address: str, length: int) -> str | None:
    try:
        network = ip_network(f"{address}/{length}", strict=False)
    except ValueError:
        if ":" not in address and read_address(address) is None:
            return None
        raise Unread(f"“{address[:_LONGEST_SHOWN]}/{length}” is no network.") from None
    if network.prefixlen == 0:
        raise Unread(f"{network} would be every address.")
    if network.version == 6 and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        return str(IPv4Network((network.network_address.ipv4_mapped, network.prefixlen - 96)))
    return str(network)


def _read_name(text: str, names_with_below: bool) -> Entry:
    host = host_of(text)
    starred = host.startswith(("*.", "."))
    name = read_name(host.removeprefix("*").removeprefix("."))
    if name in (None, "-") or read_address(name) or _NUMBER.match(name.rpartition(".")[2]):
        if (address := read_address(host)) is not None:
            return Entry("", False, f"{address}/{128 if ':' in address else 32}")
        raise Unread(f"“{text[:_LONGEST_SHOWN]}” is no name, address or network.")
    return Entry(name, starred or names_with_below, None)
