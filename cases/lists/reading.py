"""From the bytes of a list to its subjects, with a reason for every line that is none."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from cases.lists.base import ListError, ListLine, ListReader
from cases.observed import observe, visible, was_cut
from cases.verdicts.subject import Subject, SubjectKind, SubjectRefused, TooWide, read_subject

# A line is shown and kept up to here; a hash of the whole follows.
LONGEST_LINE = 500
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PACKED = {b"PK\x03\x04": "a ZIP or an Excel workbook", b"\x1f\x8b": "packed with gzip", b"%PDF": "a PDF"}


class Readable(StrEnum):
    SUBJECT = "subject"
    UNREADABLE = "unreadable"
    TOO_WIDE = "too wide"
    ASIDE = "aside"


class ReadLine(NamedTuple):
    """`subject` is set for a readable line alone; `why` says what is wrong with another. `says` is the
    verdict that the list itself gives."""

    number: int
    text: str
    readable: Readable
    subject: Subject | None = None
    why: str = ""
    says: str = ""


def decoded(content: bytes) -> str:
    """Bytes that are no UTF-8 are spelled out, so that the line they stand in is the only one lost."""
    for sign, what in _PACKED.items():
        if content.startswith(sign):
            raise ListError(f"This is {what}. Save it as CSV or as text, then import that.")
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return content[len(bom) :].decode(encoding, "replace")
    if b"\0" in content[:4096]:
        raise ListError("This is no text: it holds bytes that no list has.")
    return content.decode("utf-8", "backslashreplace")


def read_list(text: str, reader: type[ListReader]) -> Iterator[ReadLine]:
    """Raises ListError alone."""
    return map(_read, reader().lines(text))


def _read(line: ListLine) -> ReadLine:
    shown = visible(line.text, LONGEST_LINE)
    if line.is_aside:
        return ReadLine(line.number, shown, Readable.ASIDE)
    if line.refused:
        return ReadLine(line.number, shown, Readable.UNREADABLE, why=line.refused)
    try:
        subject = _subject(line)
    except TooWide as refusal:
        return ReadLine(line.number, shown, Readable.TOO_WIDE, why=str(refusal))
    except SubjectRefused as refusal:
        return ReadLine(line.number, shown, Readable.UNREADABLE, why=visible(str(refusal), LONGEST_LINE))
    return ReadLine(line.number, shown, Readable.SUBJECT, subject, says=line.says)


def _subject(line: ListLine) -> Subject:
    if line.kind == SubjectKind.TEXT:
        return _text(line.typed)
    if line.kind == SubjectKind.BELOW:
        return read_subject("*." + line.typed.removeprefix("*."))
    subject = read_subject(line.typed)
    if line.kind and subject.kind != line.kind:
        raise SubjectRefused(f"The list calls this a {line.kind}, but it is a {subject.kind}.")
    return subject


def _text(typed: str) -> Subject:
    """Only what would be observed as this very text: of anything else no value is the same."""
    seen = observe("", typed)
    if seen.value and seen.kind != "text":
        raise SubjectRefused(f"The list calls this a text, but it is: {seen.kind} {seen.value}.")
    # What was cut once is longer than what is kept of a text, and would be cut again.
    if not seen.value or len(typed) > LONGEST_LINE or (seen.value != typed and not was_cut(typed)):
        raise SubjectRefused("This text cannot be kept as it is.")
    return Subject(SubjectKind.TEXT, typed)
