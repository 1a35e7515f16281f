"""What every format of a watchlist is given, and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple

# How many entries are joined before they are handed on, and how many examples a report keeps per cause.
_TOGETHER = 500
_EXAMPLES = 50


class ListEntry(NamedTuple):
    """One subject of a watchlist. `kind` is name, below, address, network or text; `below` has no star.

    `case` is the case it was decided in. `may_widen`: a name of a block list below which nothing is known
    that is allowed or undecided, so a format that always takes the names below along may have it. `returned`:
    the publication in which it left before it came back unchanged, or zero.
    """

    kind: str
    value: str
    verdict: str
    reason: str
    decided_by: str
    decided_at: datetime
    expires_at: datetime | None
    case: int | None
    decision: int
    may_widen: bool = False
    returned: int = 0


class Gone(NamedTuple):
    """An entry of an earlier publication that is on the list no more."""

    entry: ListEntry
    at: datetime


class Published(NamedTuple):
    """The publication that a file is written for. `number` grows with each one."""

    slug: str
    title: str
    about: str
    verdict: str
    number: int
    at: datetime


class How(StrEnum):
    EXACT = "exact"
    WIDER = "wider"
    NARROWER = "narrower"
    LEFT_OUT = "left out"

    # An enumeration's own hash takes longer than writing most of an entry.
    __hash__ = str.__hash__


class Said(NamedTuple):
    """An entry as a format says it. `text` is empty when it is left out or another entry says it already."""

    text: str
    how: How = How.EXACT
    why: str = ""


def left_out(why: str) -> Said:
    return Said("", How.LEFT_OUT, why)


@dataclass(slots=True)
class Report:
    """What became of the entries; `examples` are the first values of each cause."""

    entries: int = 0
    written: int = 0
    causes: Counter[tuple[How, str]] = field(default_factory=Counter)
    examples: dict[tuple[How, str], list[str]] = field(default_factory=dict)

    def note(self, value: str, how: How, why: str) -> None:
        self.causes[how, why] += 1
        examples = self.examples.setdefault((how, why), [])
        if len(examples) < _EXAMPLES:
            examples.append(value)

    @property
    def left_out(self) -> int:
        return sum(count for (how, _), count in self.causes.items() if how is How.LEFT_OUT)


class Format(ABC):
    """Deterministic: the same entries give the same text. An object writes one file and is then done with."""

    slug: ClassVar[str]
    label: ClassVar[str]
    media_type: ClassVar[str] = "text/plain; charset=utf-8"
    extension: ClassVar[str] = "txt"
    # Most rows of one file, where a reader has such a limit; then the list becomes several files.
    rows_in_part: ClassVar[int] = 0
    between: ClassVar[str] = ""
    # Whether it says what has left, and knows what came back; else neither is looked for.
    tells_changes: ClassVar[bool] = False
    # Pages show the class itself: its label and slug.
    do_not_call_in_templates: ClassVar[bool] = True

    def __init__(self, published: Published) -> None:
        self.published = published

    def opening(self) -> str:
        return ""

    @abstractmethod
    def say(self, entry: ListEntry) -> Said: ...

    def unsay(self, gone: Gone) -> str:
        """For formats in which what is gone must be said."""
        return ""

    def closing(self) -> str:
        return ""

    def write(self, entries: Iterable[ListEntry], report: Report, gone: Iterable[Gone] = ()) -> Iterator[str]:
        """The text in pieces; `report` is filled on the way."""
        pieces: list[str] = []
        opening = self.opening()
        between, is_first = self.between, True
        for text in self.texts(entries, report, gone):
            pieces.append(text)
            if len(pieces) == _TOGETHER:
                yield opening + ("" if is_first else between) + between.join(pieces)
                opening, is_first = "", False
                pieces.clear()
        if pieces and not is_first:
            yield between
        yield opening + between.join(pieces) + self.closing()

    def texts(self, entries: Iterable[ListEntry], report: Report, gone: Iterable[Gone] = ()) -> Iterator[str]:
        say, exact = self.say, How.EXACT
        seen = written = 0
        for entry in entries:
            seen += 1
            text, how, why = say(entry)
            if how is not exact:
                report.note(entry.value, how, why)
            if text:
                written += 1
                yield text
        report.entries += seen
        report.written += written
        for each in gone:
            if text := self.unsay(each):
                yield text
