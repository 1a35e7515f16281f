"""A chain held in memory, followed with the steps that the proof takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from footprint.ledger.chain import GENESIS, BrokenChain, check_link, is_of


@dataclass(frozen=True, slots=True)
class Link:
    """One entry as stored: `text` is the canonical JSON, byte for byte what was hashed."""

    seq: int
    text: str
    hash: bytes


def follow(links: Iterable[Link], previous: bytes = GENESIS, expected: int = 1) -> tuple[int, bytes]:
    """Walks the chain and returns the last seq and its hash; raises BrokenChain at the first fault."""
    for link in links:
        check_link(link.seq, link.text, link.hash, previous, expected)
        if not is_of(link.text, link.seq):
            raise BrokenChain(link.seq, "the text belongs to another entry")
        previous, expected = link.hash, expected + 1
    return expected - 1, previous
