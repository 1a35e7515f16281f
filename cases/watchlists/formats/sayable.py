"""What each format can say at all, by the kind of an entry."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from cases.watchlists.formats import REGISTRY, How, ListEntry, Published

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_EXAMPLES = (
    ("address", "9.9.9.9"),
    ("below", "a.example"),
    ("name", "a.example"),
    ("network", "9.9.9.0/24"),
    ("text", "two words"),
)


class Sayable(NamedTuple):
    format: str
    kind: str
    may_widen: bool
    is_whole: bool


@cache
def sayable(verdict: str) -> tuple[Sayable, ...]:
    """Not what a format leaves out; `is_whole` where it says no less than the entry."""
    said = (
        (
            format,
            kind,
            may_widen,
            format(_published(verdict)).say(_entry(kind, value, verdict, may_widen)).how,
        )
        for format in REGISTRY.values()
        for kind, value in _EXAMPLES
        for may_widen in (False, True)
    )
    return tuple(
        Sayable(format.slug, kind, may_widen, how is not How.NARROWER)
        for format, kind, may_widen, how in said
        if how is not How.LEFT_OUT
    )


def _published(verdict: str) -> Published:
    return Published("", "", "", verdict, 1, _AT)


def _entry(kind: str, value: str, verdict: str, may_widen: bool) -> ListEntry:
    return ListEntry(kind, value, verdict, "", "", _AT, None, None, 0, may_widen)
