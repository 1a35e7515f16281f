"""Draws that look like telemetry: few things are common, most are rare."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """Draws items by weight."""

    def __init__(self, items: Sequence[T], weights: Sequence[float]) -> None:
        self.items = items
        self._sums = list(accumulate(weights))
        self._sum = self._sums[-1]
        self._last = len(items) - 1

    def draw(self, rng: Random) -> T:
        return self.items[bisect(self._sums, rng.random() * self._sum, 0, self._last)]


def zipf(items: Sequence[T], exponent: float) -> Weighted[T]:
    """The item of rank r weighs r to the power of minus the exponent."""
    return Weighted(items, [rank**-exponent for rank in range(1, len(items) + 1)])


def index(rng: Random, size: int) -> int:
    return int(rng.random() * size)


def pick(rng: Random, items: Sequence[T]) -> T:
    return items[index(rng, len(items))]


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())
