"""The hash chain, without a database: what is hashed, and how one entry follows from the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

# Stands before the first entry.
GENESIS = bytes(32)


class BrokenChain(Exception):
    """The chain does not hold; `seq` is the first entry that is wrong."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(f"Entry {seq}: {why}")
        self.seq = seq
        self.why = why


def canonical_json(content: Mapping[str, object]) -> str:
    """JSON with sorted keys, no spaces and no escapes beyond those JSON demands."""
    return _ENCODER.encode(content)


def moment_text(at: datetime) -> str:
    """As entries and checkpoints write it: UTC, microseconds, ending in Z."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_of(told: object) -> datetime | None:
    """The moment of such a text; None where it tells none."""
    try:
        return datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None


def next_hash(previous: bytes, text: str) -> bytes:
    """SHA-256 of the previous hash followed by the UTF-8 text."""
    return hashlib.sha256(previous + text.encode()).digest()


def check_link(seq: int, text: str, digest: bytes, previous: bytes, expected: int) -> None:
    """One step of the chain; raises BrokenChain naming the first entry that is wrong."""
    if seq != expected:
        if seq < expected:
            raise BrokenChain(seq, "there is more than one entry with this number, or they are out of order")
        raise BrokenChain(expected, f"it is missing; the next one there is {seq}")
    if next_hash(previous, text) != digest:
        raise BrokenChain(seq, "the hash does not follow from the entry before and the text")


def is_of(text: str, seq: int) -> bool:
    """Whether the text says that it is the one of this entry."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("seq") == seq
