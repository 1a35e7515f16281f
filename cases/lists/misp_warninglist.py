"""A list.json of MISP's warninglists. Its type says how MISP compares, so it says what a line covers."""

from __future__ import annotations

import json
from collections.abc import Iterator

from cases.lists.base import ListError, ListLine, ListReader

_NOT_COMPARABLE = {
    "substring": "The list compares parts of texts; a decision covers whole names or addresses.",
    "regex": "The list compares by patterns; a decision covers names or addresses.",
}
_TYPES = ("string", "hostname", "cidr", *_NOT_COMPARABLE)


class MispWarninglist(ListReader):
    slug = "misp-warninglist"
    label = "MISP warninglist (JSON)"

    @classmethod
    def fits(cls, text: str) -> bool:
        return text.lstrip()[:1] in ("{", "[")

    def lines(self, text: str) -> Iterator[ListLine]:
        kept = _parsed(text)
        matching = str(kept.get("type", "string"))
        if matching not in _TYPES:
            raise ListError(f"The list has the type {matching[:40]!r}, which no MISP has.")
        for number, entry in enumerate(_entries(kept), start=1):
            if not isinstance(entry, str):
                yield ListLine(number, json.dumps(entry), refused="This entry is no text.")
            elif matching in _NOT_COMPARABLE:
                yield ListLine(number, entry, refused=_NOT_COMPARABLE[matching])
            elif matching == "hostname":
                # MISP walks up the labels: each entry has everything below it.
                yield ListLine(number, entry, entry.strip().lstrip("."), "below")
            else:
                yield ListLine(number, entry, entry)


def _parsed(text: str) -> dict[str, object]:
    try:
        kept = json.loads(text)
    except RecursionError as error:
        raise ListError("This JSON is nested too deeply for a list.") from error
    except ValueError as error:
        raise ListError(f"This is no whole JSON: {error}.") from error
    if not isinstance(kept, dict):
        raise ListError('This JSON is no warninglist: an object with a "list" is expected.')
    return kept


def _entries(kept: dict[str, object]) -> list[object]:
    entries = kept.get("list")
    if isinstance(entries, dict):
        entries = list(entries.values())
    if not isinstance(entries, list):
        raise ListError('This JSON is no warninglist: it has no "list".')
    return entries
