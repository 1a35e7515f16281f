"""How a value is shown: attackers write these texts, and people must see what is really there."""

from __future__ import annotations

from dataclasses import dataclass

from cases.domains import registered_domain
from cases.texts import with_escapes


def visible(text: str) -> str:
    """Shows controls, direction marks and zero-width characters as escapes such as \\u202e."""
    return with_escapes(text)


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
