"""Writing a list as a file: one stream, or, where a reader takes so many rows only, a ZIP of parts."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import IO

from cases.watchlists.formats import Format, Gone, ListEntry, Published, Report

# The same bytes at any time: the time inside a ZIP is its first possible one.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(slots=True)
class Rendered:
    """`sha256` is of the bytes."""

    report: Report = field(default_factory=Report)
    sha256: str = ""


def render(
    format: type[Format],
    published: Published,
    entries: Iterable[ListEntry],
    output: IO[bytes],
    gone: Iterable[Gone] = (),
) -> Rendered:
    """Writes at the place where `output` stands, and leaves it there at its end."""
    rendered = Rendered()
    hashed = _Hashed(output)
    if format.rows_in_part:
        _write_parts(format, published, entries, hashed, rendered.report)
    else:
        for piece in format(published).write(entries, rendered.report, gone):
            hashed.write(piece.encode())
    rendered.sha256 = hashed.digest.hexdigest()
    return rendered


def media_type(format: type[Format]) -> str:
    return "application/zip" if format.rows_in_part else format.media_type


def extension(format: type[Format]) -> str:
    return "zip" if format.rows_in_part else format.extension


class _Hashed:
    """A file that only grows, so that a ZIP written to it is hashed on the way."""

    def __init__(self, output: IO[bytes]) -> None:
        self.digest = hashlib.sha256()
        self._output = output

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        return self._output.write(content)

    def flush(self) -> None:
        self._output.flush()


def _write_parts(
    format: type[Format],
    published: Published,
    entries: Iterable[ListEntry],
    output: _Hashed,
    report: Report,
) -> None:
    rows = format(published).texts(entries, report)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as parts:  # type: ignore[call-overload]  # write is all it needs
        for number, first in enumerate(rows, start=1):
            part = [first, *islice(rows, format.rows_in_part - 1)]
            _add(parts, format, published, number, part)
        if not report.written:
            _add(parts, format, published, 1, [])


def _add(
    parts: zipfile.ZipFile, format: type[Format], published: Published, number: int, rows: list[str]
) -> None:
    name = zipfile.ZipInfo(f"{published.slug}-{number:03}.{format.extension}", _NO_TIME)
    name.compress_type = zipfile.ZIP_DEFLATED
    parts.writestr(name, format(published).opening() + "".join(rows))
