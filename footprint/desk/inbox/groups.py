"""A group of the inbox: lines of one kind, and how many there are in all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet, Window

from footprint.accounts.models import Person


@dataclass(frozen=True, slots=True)
class Line:
    """`thing` is what the group's template shows; `preview` is the address of its preview, or empty."""

    thing: object
    at: datetime | None
    preview: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    slug: str
    title: str
    lines: Sequence[Line] = ()
    total: int = 0
    # A sentence that holds for all its lines.
    note: str = field(default="")

    @property
    def template(self) -> str:
        return f"desk/inbox/{self.slug}.html"

    @property
    def has_more(self) -> bool:
        return self.total > len(self.lines)


Gather = Callable[[Person, int], Group]


def with_total(rows: QuerySet[Any], at_most: int) -> tuple[list[Any], int]:
    """The first rows, and how many there are in all: one question."""
    found = list(rows.annotate(in_all=Window(Count("*")))[:at_most])
    return found, found[0].in_all if found else 0
