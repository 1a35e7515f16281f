from __future__ import annotations

from collections.abc import Iterable, Iterator

from cases.watchlists.formats.base import ListEntry
from cases.watchlists.formats.exact import why_not_exact


class PlainText:
    """One name or address a line and nothing else: no header, no comments, for whatever reads lines."""

    slug = "plain-text"
    label = "Plain text"
    media_type = "text/plain; charset=utf-8"
    extension = "txt"

    def left_out(self, entry: ListEntry) -> str:
        return why_not_exact(entry)

    def covers(self, entry: ListEntry) -> bool:
        return not self.left_out(entry)

    def write(self, entries: Iterable[ListEntry]) -> Iterator[str]:
        return (f"{entry.value}\n" for entry in entries if self.covers(entry))
