"""How a value is shown: attackers write these texts, and people must see what is really there."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from cases.domains import registered_domain


def visible(text: str) -> str:
    """Shows controls, direction marks and zero-width characters as escapes such as \\u202e."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(letter) if _is_hidden(letter) else letter for letter in text)


def _is_hidden(letter: str) -> bool:
    # Cc controls, Cf format characters (direction marks, zero width), Co and Cs nothing a reader can see,
    # Zl and Zp line separators.
    return unicodedata.category(letter) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def defanged(value: str) -> str:
    """For places where a reader's program might turn the value into a link."""
    return value.replace(".", "[.]").replace(":", "[:]")


@dataclass(frozen=True, slots=True)
class ShownValue:
    """`before` is the part that may be cut; `domain` never is, as long as it fits a row at all."""

    before: str
    domain: str
    full: str

    @property
    def is_long(self) -> bool:
        return len(self.domain) > 40


def shown_value(value: str) -> ShownValue:
    full = visible(value)
    domain = registered_domain(value)
    if domain and value.endswith(f".{domain}"):
        return ShownValue(visible(value.removesuffix(domain)), visible(domain), full)
    return ShownValue("", full, full)


def middle_cut(text: str, keep: int = 8) -> str:
    """A hash loses its middle: 7c4a8d09…e91d."""
    return text if len(text) <= keep + 6 else f"{text[:keep]}…{text[-4:]}"
