from __future__ import annotations

from cases.watchlists.formats.apexes import SAID_ALREADY, Apexes
from cases.watchlists.formats.base import How, ListEntry, Said
from cases.watchlists.formats.exact import refusal


class PlainText(Apexes):
    """One name, address or network a line and nothing else, for whatever reads lines."""

    slug = "plain-text"
    label = "Plain text"

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        if self.has_written(entry):
            return SAID_ALREADY
        if entry.kind == "below":
            return Said(f"{entry.value}\n", How.NARROWER, "apex only: a line has no word for the names below")
        return Said(f"{entry.value}\n")
