from __future__ import annotations

from cases.watchlists.formats.base import Format, How, ListEntry, Said
from cases.watchlists.formats.exact import refusal


class PlainText(Format):
    """One name, address or network a line and nothing else, for whatever reads lines."""

    slug = "plain-text"
    label = "Plain text"

    def say(self, entry: ListEntry) -> Said:
        if refused := refusal(entry):
            return refused
        if entry.kind == "below":
            return Said(f"{entry.value}\n", How.NARROWER, "apex only: a line has no word for the names below")
        return Said(f"{entry.value}\n")
