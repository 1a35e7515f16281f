"""Where known lists come from, one at a time: the installed package, and files of the operator."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, BinaryIO

from cases.known.categories import category_of

# A warning list in JSON is read as a whole; the largest of the package has 22 MB.
LARGEST_JSON = 64 * 1024 * 1024
_LONGEST_LINE = 4_096
_BLOCK = 1024 * 1024

Lines = Iterable[tuple[int, str]]

# What a list must be about to say something of a name or an address. The others speak of hashes, mail
# addresses, telephone numbers and applications.
_ABOUT_US = frozenset({"hostname", "domain", "url", "ip-src", "ip-dst"})
# Lists whose names mean everything below them too. A substring is read as a name, which finds less.
_WITH_BELOW = frozenset({"hostname", "substring"})


class CannotLoad(Exception):
    """The file is no list. Nothing was written."""


@dataclass(frozen=True, slots=True)
class ListSource:
    """One list as it was found. `lines` gives its lines with their numbers, as often as it is asked."""

    slug: str
    title: str
    about: str
    category: str
    version: str
    origin: str
    sha256: str
    names_with_below: bool
    lines: Callable[[], Lines]


def package_lists(only: Iterable[str] = (), at_most: int | None = None) -> Iterator[ListSource]:
    """The lists of the installed package that speak of names or addresses, in the order of their slugs.

    `at_most` leaves out the lists with more entries.
    """
    wanted = frozenset(only)
    for folder in sorted(_package_folder().iterdir(), key=lambda each: each.name):
        if wanted and folder.name not in wanted:
            continue
        content = (folder / "list.json").read_bytes()
        found = _warning_list(content, f"the list {folder.name}")
        if left_out_because(found) is None and (at_most is None or len(found["list"]) <= at_most):
            yield _of_package(folder.name, found, content)


def left_out_because(found: dict[str, Any]) -> str | None:
    """Why a warning list is of no use here, or None when it is."""
    if not found["list"]:
        return "it is empty"
    if found.get("type") == "regex":
        return "it holds patterns"
    if not _ABOUT_US & set(found.get("matching_attributes") or _ABOUT_US):
        return "it says nothing about names or addresses"
    return None


def package_slugs() -> list[str]:
    return sorted(folder.name for folder in _package_folder().iterdir())


def _package_folder() -> Traversable:
    return resources.files("pymispwarninglists") / "data" / "misp-warninglists" / "lists"


def _of_package(slug: str, found: dict[str, Any], content: bytes) -> ListSource:
    return ListSource(
        slug=slug,
        title=_title_of(found, slug),
        about=str(found.get("description", "")),
        category=category_of(slug),
        version=str(found.get("version", "")),
        origin="package",
        sha256=hashlib.sha256(content).hexdigest(),
        names_with_below=found.get("type") in _WITH_BELOW,
        lines=lambda: _numbered(found["list"]),
    )


_ADDRESS = re.compile(r" \(https?://[^)]*\)")
_PREAMBLES = ("List of known ", "List of published ", "List of ")


def _title_of(found: dict[str, Any], slug: str) -> str:
    """Its name without the words that every list begins with."""
    title = _ADDRESS.sub("", " ".join(str(found.get("name") or slug).split()))
    for preamble in _PREAMBLES:
        title = title.removeprefix(preamble)
    return (title[:1].upper() + title[1:])[:200]


def file_list(path: Path, *, slug: str, category: str, title: str = "") -> ListSource:
    """An operator's file: one name, address or network a line, or a MISP warning list in JSON."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            is_json = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
            size = path.stat().st_size
    except OSError as problem:
        raise CannotLoad(f"{path}: {problem.strerror or problem}.") from problem
    if not is_json:
        return ListSource(
            slug, title or slug, "", category, "", "file", digest, False, lambda: _text_lines(path)
        )
    if size > LARGEST_JSON:
        raise CannotLoad(f"{path} has {size:,} bytes; as JSON it may have {LARGEST_JSON:,}. Use plain text.")
    found = _warning_list(path.read_bytes(), str(path))
    if (why := left_out_because(found)) is not None:
        raise CannotLoad(f"{path}: {why}.")
    return ListSource(
        slug=slug,
        title=title or _title_of(found, slug),
        about=str(found.get("description", "")),
        category=category,
        version=str(found.get("version", ""))[:50],
        origin="file",
        sha256=digest,
        names_with_below=found.get("type") in _WITH_BELOW,
        lines=lambda: _numbered(found["list"]),
    )


def _warning_list(content: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise CannotLoad(f"{where} is no JSON: {problem}.") from problem
    if not isinstance(found, dict) or not isinstance(found.get("list"), list):
        raise CannotLoad(f"{where} is no MISP warning list: it has no “list”.")
    return found


def _numbered(entries: list[object]) -> Lines:
    return (
        (number, entry if isinstance(entry, str) else repr(entry)) for number, entry in enumerate(entries, 1)
    )


def _text_lines(path: Path) -> Lines:
    """Without comments and empty lines. A line beyond any sense is cut, so that it is told as unreadable."""
    with path.open("rb") as file:
        for number, raw in enumerate(_lines_of(file), 1):
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8", "replace").partition("#")[0].strip()
            if line:
                yield number, line


def _lines_of(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        rest = line
        while not rest.endswith(b"\n") and (rest := file.readline(_BLOCK)):
            pass
        yield line
