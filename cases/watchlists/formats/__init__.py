"""The formats a watchlist can be taken away in. One file each; none knows the database."""

from __future__ import annotations

from cases.watchlists.formats.base import Format, ListEntry
from cases.watchlists.formats.plain_text import PlainText
from cases.watchlists.formats.sentinel_csv import SentinelCsv

__all__ = ["REGISTRY", "Format", "ListEntry"]

_FORMATS: tuple[Format, ...] = (SentinelCsv(), PlainText())
REGISTRY: dict[str, Format] = {each.slug: each for each in _FORMATS}
