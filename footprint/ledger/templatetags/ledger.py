"""What any page may show of the ledger: `{% load ledger %}`, then `{% entries_of case=case.pk %}`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template

from footprint.ledger.models import Entry

register = template.Library()

SHOWN = 10


@register.inclusion_tag("desk/entries_of.html")
def entries_of(
    case: int | None = None, kind: str = "", things: Iterable[Any] = (), title: str = "In the ledger"
) -> dict[str, object]:
    """The latest entries of a case, or of things of one kind, such as the decisions on a value."""
    entries = Entry.objects.all()
    if case is not None:
        entries = entries.filter(case_number=case)
    if kind:
        entries = entries.filter(subject_kind=kind, subject_id__in=[str(thing.pk) for thing in things])
    found = list(entries[: SHOWN + 1])
    return {"entries": found[:SHOWN], "is_more": len(found) > SHOWN, "entries_case": case, "title": title}
