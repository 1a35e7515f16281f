"""The files of a case as people type or paste them: one a line. Pure: no Django, no database."""

from __future__ import annotations

from dataclasses import dataclass

from hunts.kql.files import AskedFile, BadFileName, FileKind, parse_file

# What a browser or a spreadsheet leaves around a name. Other white space may be meant.
_AROUND = " \t\r"
_SHOWN_AT_MOST = 80


@dataclass(frozen=True, slots=True)
class BadLine:
    """Line numbers count from 1. `suggestion` is what may have been meant, or None."""

    number: int
    text: str
    reason: str
    suggestion: str | None

    @property
    def shown(self) -> str:
        return self.text if len(self.text) <= _SHOWN_AT_MOST else f"{self.text[:_SHOWN_AT_MOST]}…"


@dataclass(frozen=True, slots=True)
class Double:
    """A line that names the file of an earlier one."""

    number: int
    text: str
    first: int


@dataclass(frozen=True, slots=True)
class FileLines:
    files: tuple[AskedFile, ...]
    bad: tuple[BadLine, ...]
    doubles: tuple[Double, ...]

    @property
    def sha256(self) -> int:
        return sum(1 for file in self.files if file.kind is FileKind.SHA256)

    @property
    def suggested(self) -> int:
        return sum(1 for line in self.bad if line.suggestion is not None)


def read_file_lines(text: str) -> FileLines:
    """Empty lines are no fault. A file named twice counts once, as first typed."""
    files: dict[tuple[FileKind, str], tuple[int, AskedFile]] = {}
    bad: list[BadLine] = []
    doubles: list[Double] = []
    for number, line in enumerate(text.split("\n"), start=1):
        name = line.strip(_AROUND)
        if not name:
            continue
        try:
            file = parse_file(name)
        except BadFileName as error:
            bad.append(BadLine(number, name, str(error), error.suggestion))
            continue
        first, _ = files.setdefault((file.kind, file.key), (number, file))
        if first != number:
            doubles.append(Double(number, name, first))
    return FileLines(tuple(file for _, file in files.values()), tuple(bad), tuple(doubles))


def with_suggestions(text: str, number: int | None = None) -> str:
    """The text with what is offered for one bad line, or for all of them, in its place."""
    offered = {
        line.number: line.suggestion
        for line in read_file_lines(text).bad
        if line.suggestion is not None and number in (None, line.number)
    }
    lines = (line.rstrip("\r") for line in text.split("\n"))
    return "\n".join(offered.get(place, line) for place, line in enumerate(lines, start=1))
