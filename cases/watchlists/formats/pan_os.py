"""External dynamic lists of PAN-OS: each holds one type, and comments are best left away."""

from __future__ import annotations

from cases.watchlists.formats.apexes import SAID_ALREADY, Apexes
from cases.watchlists.formats.base import Format, ListEntry, Said, left_out
from cases.watchlists.formats.exact import refusal

_NAMES_ELSEWHERE = left_out("a name: the domain and URL lists have it")
_ADDRESSES_ELSEWHERE = left_out("an address or network: the IP list has it")


class PanOsIp(Format):
    slug = "pan-os-ip"
    label = "PAN-OS EDL, IP"

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        if entry.kind == "name" or entry.kind == "below":
            return _NAMES_ELSEWHERE
        return Said(f"{entry.value}\n")


class PanOsDomain(Apexes):
    """A plain line is that name alone; the star stands for one or more labels before it."""

    slug = "pan-os-domain"
    label = "PAN-OS EDL, domain"

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        if self.has_written(entry):
            return SAID_ALREADY
        if entry.kind == "name":
            return Said(f"{entry.value}\n")
        if entry.kind == "below":
            return Said(f"{entry.value}\n*.{entry.value}\n")
        return _ADDRESSES_ELSEWHERE


class PanOsUrl(Apexes):
    """With the slash, without which `example.com` would also match `example.com.evil.tld`."""

    slug = "pan-os-url"
    label = "PAN-OS EDL, URL"

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        if self.has_written(entry):
            return SAID_ALREADY
        if entry.kind == "name":
            return Said(f"{entry.value}/\n")
        if entry.kind == "below":
            return Said(f"{entry.value}/\n*.{entry.value}/\n")
        return _ADDRESSES_ELSEWHERE
