"""Identifiers that are the same for the same thing, in every file and on every machine."""

from __future__ import annotations

import hashlib
from uuid import UUID

_NAMESPACE = UUID("6f0b2d6e-3f0e-5c55-9d0e-7a2f5d0c1e42").bytes
# The highest bits of the seventeenth digit are the variant's.
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def stable_id(text: str) -> str:
    """As `str(uuid5(namespace, text))`, in a third of its time."""
    digest = hashlib.sha1(_NAMESPACE + text.encode(), usedforsecurity=False).hexdigest()
    return (
        f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"
    )
