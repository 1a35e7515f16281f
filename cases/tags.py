"""Tags of a case: read from what people type. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cases.texts import first_hidden

MOST_TAGS = 20
LONGEST_TAG = 40


def read_tags(text: str) -> tuple[str, ...]:
    """Split at commas and lines; lower-case, single spaces, sorted, each once."""
    typed = (" ".join(part.split()).lower() for part in re.split(r"[,\n\r]", text))
    return tuple(sorted({tag for tag in typed if tag}))


def bad_tag(tags: Sequence[str]) -> str:
    """What is wrong with them, as a sentence; empty when nothing is."""
    if len(tags) > MOST_TAGS:
        return f"These are {len(tags)} tags; a case has at most {MOST_TAGS}."
    for tag in tags:
        if len(tag) > LONGEST_TAG:
            return f"A tag has at most {LONGEST_TAG} characters; “{tag[:LONGEST_TAG]}…” has {len(tag)}."
        if hidden := first_hidden(tag):
            return f"A tag holds a character that nobody can see: {hidden}."
        if read_tags(tag) != (tag,):
            return f"“{tag}” is not a tag."
    return ""
