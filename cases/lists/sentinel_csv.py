"""A Microsoft Sentinel watchlist, exported from its query: `_GetWatchlist(…)` or the table `Watchlist`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from cases.lists.base import ListLine
from cases.lists.csv_table import SUBJECT_COLUMNS, CsvTable, first_line, names_of

_SIGNS = frozenset({"searchkey", "watchlistitem", "dtitemid", "watchlistitemid", "watchlistalias"})


class SentinelCsv(CsvTable):
    slug = "sentinel-csv"
    label = "Sentinel watchlist (CSV)"

    @classmethod
    def fits(cls, text: str) -> bool:
        return bool(_SIGNS & set(names_of(first_line(text))))

    def lines(self, text: str) -> Iterator[ListLine]:
        names = names_of(first_line(text))
        has_item = "watchlistitem" in names and "searchkey" not in names
        for line in super().lines(text):
            yield _from_item(line) if has_item and not line.is_aside and not line.refused else line

    def subject_columns(self) -> Sequence[str]:
        """Our own lists come back with their column `Value`; others are known by their key."""
        return ("searchkey", "value", "watchlistitem", *SUBJECT_COLUMNS)

    def is_gone(self, names: Sequence[str], cells: Sequence[str]) -> bool:
        at = names.index("dtitemstatus") if "dtitemstatus" in names else None
        return at is not None and at < len(cells) and cells[at].strip().lower() == "delete"


def _from_item(line: ListLine) -> ListLine:
    """The item is JSON of the columns that its owner chose."""
    try:
        item = json.loads(line.typed)
    except (ValueError, RecursionError):
        return line._replace(refused="The item of this row is no JSON.")
    if not isinstance(item, dict):
        return line._replace(refused="The item of this row has no columns.")
    named = {
        "".join(letter for letter in key.lower() if letter.isalnum()): cell for key, cell in item.items()
    }
    typed = next((str(named[name]) for name in SUBJECT_COLUMNS if named.get(name)), "")
    if not typed:
        return line._replace(refused="No column of this item is known to hold a name or an address.")
    return line._replace(typed=typed)
