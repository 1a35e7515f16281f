"""What a decision covers, and how narrowly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Of an exact subject. Suffixes and networks will count their length, which is always less.
EXACT = 1_000


class SubjectKind(StrEnum):
    NAME = "name"
    ADDRESS = "address"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Subject:
    kind: SubjectKind
    text: str

    @classmethod
    def of_value(cls, value: str, kind: str) -> Subject:
        """A value's exact subject. Values are canonical, so equal things have equal texts."""
        return cls(SubjectKind(kind), value)

    @property
    def specificity(self) -> int:
        return EXACT

    def covers(self, other: Subject) -> bool:
        return self == other

    def __str__(self) -> str:
        return f"the text “{self.text}”" if self.kind is SubjectKind.TEXT else self.text
