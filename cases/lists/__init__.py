"""Reading lists that other tools and people keep: plain text, CSV, Sentinel watchlists, MISP warninglists.

Pure: nothing here knows Django or the database. Whatever is read, every line comes back: as a subject, or
with the reason why it is none.
"""

from __future__ import annotations

from cases.lists.base import ListError, ListLine, ListReader
from cases.lists.choose import READERS, choose
from cases.lists.reading import LONGEST_LINE, Readable, ReadLine, decoded, read_list

__all__ = [
    "LONGEST_LINE",
    "READERS",
    "ListError",
    "ListLine",
    "ListReader",
    "ReadLine",
    "Readable",
    "choose",
    "decoded",
    "read_list",
]
