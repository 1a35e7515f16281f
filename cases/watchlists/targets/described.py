from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Described:
    """A target as its row describes it."""

    kind: str
    options: Mapping[str, str]
    credential: str
    mark: str
    title: str
    takes_allows: bool = False
