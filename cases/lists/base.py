"""What every reader of a list answers."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

_LINE_END = re.compile(r"\r\n|\r|\n")


class ListError(ValueError):
    """The list as a whole cannot be read; the text says why in a sentence."""


class ListLine(NamedTuple):
    """One entry of a list. `text` is as it stands there, `typed` what is meant as the subject.

    `kind` is set where the list says what kind of subject it is, `says` where it gives a verdict of its own,
    `refused` where the format itself says that this is no subject. `is_aside` is a comment or an empty line.
    """

    number: int
    text: str
    typed: str = ""
    kind: str = ""
    says: str = ""
    refused: str = ""
    is_aside: bool = False


class ListReader(ABC):
    slug: ClassVar[str]
    label: ClassVar[str]

    @classmethod
    @abstractmethod
    def fits(cls, text: str) -> bool:
        """Whether this looks like a list of the kind."""

    @abstractmethod
    def lines(self, text: str) -> Iterator[ListLine]:
        """Every line of the text. Raises ListError alone."""


def split_lines(text: str) -> list[str]:
    """At the ends of lines that files have; str.splitlines also splits inside texts."""
    lines = _LINE_END.split(text)
    return lines[:-1] if lines and not lines[-1] else lines
