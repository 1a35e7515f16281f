"""Texts and arrays as a line of PostgreSQL's COPY has them. No Django here."""

from __future__ import annotations

import re
from collections.abc import Sequence

NULL = "\\N"
# Nearly every text is one: a look is cheaper than a replacement.
_is_plain = re.compile(r'[^\\"\n\r\t]*').fullmatch


def copied_text(text: str) -> str:
    if _is_plain(text):
        return text
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def copied_array(values: Sequence[str | int]) -> str:
    if not values:
        return "{}"
    return "{" + ",".join(map(_copied_item, map(str, values))) + "}"


def _copied_item(text: str) -> str:
    if _is_plain(text):
        return f'"{text}"'
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return copied_text(f'"{quoted}"')
