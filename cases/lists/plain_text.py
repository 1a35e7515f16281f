"""One subject a line; also several a line, comments, and the lines of a hosts file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cases.lists.base import ListLine, ListReader, split_lines
from cases.verdicts.subject import SubjectRefused, read_subject

_COMMENT = re.compile(r"\s*(?:#|;|//)")
_COMMENT_BEHIND = re.compile(r"\s+(?:#|;|//).*\Z", re.DOTALL)
_BETWEEN = re.compile(r"[\s,;]+")
# What a hosts file writes before the names that it takes away.
_SINKS = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1"})  # noqa: S104  # read in files, nothing listens there


class PlainText(ListReader):
    slug = "plain-text"
    label = "Plain text"

    @classmethod
    def fits(cls, text: str) -> bool:
        return True

    def lines(self, text: str) -> Iterator[ListLine]:
        for number, line in enumerate(split_lines(text), start=1):
            yield from _read(number, line)


def _read(number: int, line: str) -> Iterator[ListLine]:
    if not line.strip() or _COMMENT.match(line):
        yield ListLine(number, line, is_aside=True)
        return
    typed = _COMMENT_BEHIND.sub("", line).strip()
    parts = [part for part in _BETWEEN.split(typed) if part]
    if len(parts) > 1 and parts[0] in _SINKS:
        parts = parts[1:]
    if len(parts) > 1 and all(map(_is_subject, parts)):
        for part in parts:
            yield ListLine(number, part, part)
    else:
        yield ListLine(number, line, parts[0] if len(parts) == 1 else typed)


def _is_subject(text: str) -> bool:
    """Of several in a line. Any word is a name to a resolver; a dot or a colon tells it from prose."""
    if "." not in text and ":" not in text:
        return False
    try:
        read_subject(text)
    except SubjectRefused:
        return False
    return True
