"""Which reader a text is for: the first that it looks like, or the one that a person chose."""

from __future__ import annotations

from cases.lists.base import ListError, ListReader
from cases.lists.csv_table import CsvTable
from cases.lists.misp_warninglist import MispWarninglist
from cases.lists.plain_text import PlainText
from cases.lists.sentinel_csv import SentinelCsv

# From the one with the surest signs to the one that takes everything.
READERS: tuple[type[ListReader], ...] = (MispWarninglist, SentinelCsv, CsvTable, PlainText)


def choose(text: str, slug: str = "") -> type[ListReader]:
    for reader in READERS:
        if slug == reader.slug or (not slug and reader.fits(text)):
            return reader
    raise ListError(f"There is no kind of list {slug[:40]!r}.")
