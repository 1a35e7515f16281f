"""What people may type: their own scripts are welcome, characters that nobody can see are not. Pure."""

from __future__ import annotations

import unicodedata

LONGEST_REASON = 2_000

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


def bad_reason(reason: str) -> str:
    """What is wrong with it, in words; empty when nothing is."""
    plain = with_plain_lines(reason)
    if len(plain.strip()) > LONGEST_REASON:
        return f"A reason has at most {LONGEST_REASON:,} characters; this one has {len(plain.strip()):,}."
    if hidden := first_hidden(plain):
        return f"The reason holds a character that nobody can see ({hidden})."
    return ""


def bad_line(text: str) -> str:
    """The same of any other text that others will read."""
    if hidden := first_hidden(with_plain_lines(text)):
        return f"This holds a character that nobody can see ({hidden})."
    return ""


def with_plain_lines(text: str) -> str:
    """Browsers send every line's end as two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
