"""The hash chain, without a database: what is hashed, and how one entry follows from the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Stands before the first entry.
GENESIS = bytes(32)


class BrokenChain(Exception):
    """The chain does not hold; `seq` is the first entry that is wrong."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(f"Entry {seq}: {why}")
        self.seq = seq
        self.why = why


@dataclass(frozen=True, slots=True)
class Link:
    """One entry as stored: `text` is the canonical JSON, byte for byte what was hashed."""

    seq: int
    text: str
    hash: bytes


def canonical_json(content: Mapping[str, object]) -> str:
    """JSON with sorted keys, no spaces and no escapes beyond those JSON demands."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def next_hash(previous: bytes, text: str) -> bytes:
    """SHA-256 of the previous hash followed by the UTF-8 text."""
    return hashlib.sha256(previous + text.encode()).digest()


def follow(links: Iterable[Link], previous: bytes = GENESIS, expected: int = 1) -> tuple[int, bytes]:
    """Walks the chain and returns the last seq and its hash; raises BrokenChain at the first fault."""
    for link in links:
        if link.seq != expected:
            raise BrokenChain(link.seq, f"expected entry {expected} here")
        if json.loads(link.text).get("seq") != link.seq:
            raise BrokenChain(link.seq, "the text belongs to another entry")
        if next_hash(previous, link.text) != link.hash:
            raise BrokenChain(link.seq, "the hash does not follow from the entry before and the text")
        previous, expected = link.hash, expected + 1
    return expected - 1, previous
