"""What the query part of an address asks for."""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.http import Http404, QueryDict

# Every whole number up to here fits a bigint.
_MOST_DIGITS = 18
LONGEST_TEXT = 300


class Gone(Http404):
    """What a page offered is not there any more. The text says what that means for whoever sent it."""


def whole_number(query: QueryDict, name: str) -> int | None:
    """None when the address does not ask; raises BadRequest when it asks for no number."""
    text = query.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise BadRequest(f"“{name}” is not a whole number.")
    return int(text)


def search_text(query: QueryDict, name: str) -> str:
    # PostgreSQL keeps no NUL, so nothing can match one.
    return query.get(name, "").strip()[:LONGEST_TEXT].replace("\0", "")
