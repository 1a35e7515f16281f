"""The tokens of feeds: random, and kept as hashes only."""

from __future__ import annotations

import hashlib
import secrets

_BEGINS = "fp_feed_"  # what secret scanners look for


def new_token() -> str:
    return _BEGINS + secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
