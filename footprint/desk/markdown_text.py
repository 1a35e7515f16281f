"""Hostile texts inside a Markdown file: they stay text, whatever reads the file. Pure: no database."""

from __future__ import annotations

import re
from collections.abc import Sequence

from footprint.desk.shown import defanged, visible

# Any ASCII punctuation may be escaped. These are what begins something in one dialect or another: anywhere,
# at the start of a line, and in what some readers take for an address.
_ANYWHERE = r"[\\`*_\[\]<>#&~@$=]"
_IN_ADDRESS = r":(?=//)|(?<=(?i:www))\."
_SPECIAL = re.compile(f"({_ANYWHERE}|{_IN_ADDRESS})")
_AT_START = re.compile(r"^(\d*)([.)+\-])")
_PLAIN = re.compile(r"[A-Za-z0-9._\-\[\]/*:]+")
_FENCE = re.compile(r"`+|~+")


def text(said: object) -> str:
    """One line of plain text. A pipe is an entity: readers disagree on an escaped one in a table."""
    one_line = " / ".join(part.strip() for part in str(said).splitlines() if part.strip())
    escaped = _SPECIAL.sub(r"\\\1", visible(one_line)).replace("|", "&#124;")
    return _AT_START.sub(r"\1\\\2", escaped)


def indicator(value: str) -> str:
    """A value, defanged: as code where that is safe, else as text that no reader turns into a link."""
    shown = visible(defanged(value))
    if _PLAIN.fullmatch(shown):
        return f"`{shown}`"
    return text(defanged(value)) if value.strip() else "`(blank)`"


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [row(heads), row(["---"] * len(heads)), *map(row, rows), ""]


def verbatim(written: str) -> list[str]:
    """Lines as they are, in a fence longer than any in them."""
    longest = max((len(found[0]) for found in _FENCE.finditer(written)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = ["".join(map(visible, line)) for line in re.split(r"\r\n|[\r\n]", written)]
    return [f"{fence}text", *lines, fence, ""]
