"""The orders of the queue, and where a page of it begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cases.observed import is_storable

if TYPE_CHECKING:
    from cases.models import CaseValue

_LAST_MICROSECOND = 253_402_300_799_999_999
_LONGEST_MARK = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Key = tuple[datetime | int | str, int | str]


class NoSuchPlace(ValueError):
    """What should say where a page begins does not."""


@dataclass(frozen=True, slots=True)
class Order:
    """`columns` follow case and verdict in an index each; the second tells equals apart.

    The undecided always come before the decided.
    """

    name: str
    columns: tuple[str, str]
    is_descending: bool = True

    @property
    def reverse(self) -> Order:
        return Order(self.name, self.columns, not self.is_descending)

    @property
    def in_words(self) -> str:
        return _WORDS[self.name][self.is_descending]

    @property
    def key(self) -> str:
        """As it stands in the address: the natural direction bare, the other behind a minus."""
        is_natural = self.is_descending == ORDERS[self.name].is_descending
        return self.name if is_natural else f"-{self.name}"

    def key_of(self, value: CaseValue) -> Key:
        first, second = self.columns
        return getattr(value, first), getattr(value, second)


@dataclass(frozen=True, slots=True)
class Place:
    """The last row of a page: what follows begins behind it, also when that row has moved since."""

    is_open: bool
    key: Key


ORDERS = {
    "first-seen": Order("first-seen", ("first_seen", "id")),
    "last-seen": Order("last-seen", ("last_seen", "id")),
    "devices": Order("devices", ("devices", "id")),
    "events": Order("events", ("events", "id")),
    "name": Order("name", ("domain", "value"), is_descending=False),
}
QUEUE_ORDER = ORDERS["first-seen"]
_WORDS = {
    "first-seen": ("the oldest first", "the youngest first"),
    "last-seen": ("the longest unseen first", "the last seen first"),
    "devices": ("the fewest devices first", "the most devices first"),
    "events": ("the fewest events first", "the most events first"),
    "name": ("by registered domain and name", "by registered domain and name, from the end"),
}


def read_order(text: str) -> Order | None:
    order = ORDERS.get(text.removeprefix("-"))
    return order.reverse if order and text.startswith("-") else order


def place_text(value: CaseValue, order: Order) -> str:
    """The place of a row for the address."""
    first, second = order.key_of(value)
    if isinstance(first, datetime):
        first = (first - _EPOCH) // timedelta(microseconds=1)
    between = "|" if order.name == "name" else "."
    return f"{int(value.is_open)}.{first}{between}{second}"


def read_place(text: str, order: Order) -> Place:
    is_open, _, rest = text.partition(".")
    if is_open not in ("0", "1") or len(text) > _LONGEST_MARK or not is_storable(text):
        raise NoSuchPlace(text)
    return Place(is_open == "1", _read_name(rest) if order.name == "name" else _read_numbers(rest, order))


def _read_name(text: str) -> Key:
    domain, found, value = text.partition("|")
    if not found:
        raise NoSuchPlace(text)
    return domain, value


def _read_numbers(text: str, order: Order) -> Key:
    parts = text.split(".")
    if len(parts) != 2 or not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts):
        raise NoSuchPlace(text)
    first, pk = (int(part) for part in parts)
    if not order.columns[0].endswith("_seen"):
        return first, pk
    if first > _LAST_MICROSECOND:
        raise NoSuchPlace(text)
    return _EPOCH + timedelta(microseconds=first), pk
