"""What people may type: their own scripts are welcome, characters that nobody can see are not. Pure."""

from __future__ import annotations

import unicodedata

_TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def is_hidden(letter: str) -> bool:
    """Controls, lone surrogates, and marks that turn the direction of what follows."""
    if letter in "\n\t":
        return False
    return unicodedata.category(letter) in {"Cc", "Cs"} or unicodedata.bidirectional(letter) in _TURNS


def first_hidden(text: str) -> str:
    """As an escape such as '\\u202e', or empty."""
    found = next((letter for letter in text if is_hidden(letter)), "")
    return ascii(found) if found else ""


def with_plain_lines(text: str) -> str:
    """Browsers send every line's end as two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
