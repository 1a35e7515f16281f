"""The one way for text to get into a query."""

from __future__ import annotations


class UnquotableText(ValueError):
    """Text that no query can carry. `position` counts characters from 0."""

    def __init__(self, position: int, character: str) -> None:
        self.position = position
        self.character = character
        what = f"{_kind(character)} (U+{ord(character):04X})"
        super().__init__(f"Character {position + 1} is {what}, which cannot be asked for.")


def quote(text: str) -> str:
    """A KQL string literal that means exactly this text, in every engine."""
    position = first_unquotable(text)
    if position is not None:
        raise UnquotableText(position, text[position])
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def first_unquotable(text: str) -> int | None:
    return next((position for position, character in enumerate(text) if _is_unquotable(character)), None)


def _is_unquotable(character: str) -> bool:
    code = ord(character)
    is_control = code < 0x20 or 0x7F <= code <= 0x9F
    # Engines differ on whether these two end a line, and a line end ends a literal.
    is_line_end = code in (0x2028, 0x2029)
    return is_control or is_line_end or _is_surrogate(character)


def _is_surrogate(character: str) -> bool:
    return 0xD800 <= ord(character) <= 0xDFFF


def _kind(character: str) -> str:
    return "half of a broken character" if _is_surrogate(character) else "a control character"
