from __future__ import annotations

from cases.watchlists.formats.base import Format, How, ListEntry, Published, Said

SAID_ALREADY = Said("", How.EXACT)


class Apexes(Format):
    """A name with all below it is written as the name itself, too; the name alone is not written again.

    Entries come in the order of their kinds, so every `below` is known before the first name.
    """

    def __init__(self, published: Published) -> None:
        super().__init__(published)
        self._written: set[str] = set()

    def has_written(self, entry: ListEntry) -> bool:
        if entry.kind == "below":
            self._written.add(entry.value)
        return entry.kind == "name" and entry.value in self._written
