"""What a question asks for: a file by its name, or by the hash of its content."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from hunts.kql.quote import UnquotableText, quote
from hunts.telemetry.names import file_key

# The longest name that the common file systems can store.
MAX_NAME_LENGTH = 255

_SHA1 = re.compile(r"[0-9a-f]{40}", re.ASCII | re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII | re.IGNORECASE)
# A drive, a share or root, a relative or home folder, an environment variable. A backslash elsewhere
# may be part of a name on Linux; a slash never is part of one.
_PATH = re.compile(r"[A-Za-z]:[\\/]|\\|\.{1,2}\\|%[^%\\]+%\\|.*/", re.ASCII | re.DOTALL)

_DRIVE = re.compile(r"[A-Za-z]:", re.ASCII)


class FileKind(StrEnum):
    NAME = "name"
    SHA1 = "sha1"
    SHA256 = "sha256"


@dataclass(frozen=True)
class AskedFile:
    kind: FileKind
    text: str
    # Identity: ASCII letters lower-cased, nothing else changed.
    key: str


class BadFileName(ValueError):
    """The message is a sentence for the person who typed it; `suggestion` may be what they meant."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        self.suggestion = suggestion
        super().__init__(message)


def parse_file(text: str) -> AskedFile:
    if not text.strip():
        raise BadFileName("Give a file name.")
    if len(text) > MAX_NAME_LENGTH:
        raise BadFileName(
            f"This is {len(text):,} characters long; a file name has at most {MAX_NAME_LENGTH}.",
            _usable(_last_part(text)) if _is_path(text) else None,
        )
    try:
        quote(text)
    except UnquotableText as error:
        raise BadFileName(str(error)) from error
    if _is_path(text):
        raise _path_given(text)
    return AskedFile(_kind(text), text, file_key(text))


def _kind(text: str) -> FileKind:
    if _SHA1.fullmatch(text):
        return FileKind.SHA1
    if _SHA256.fullmatch(text):
        return FileKind.SHA256
    return FileKind.NAME


def _is_path(text: str) -> bool:
    return _PATH.match(text.strip().strip('"')) is not None


def _path_given(text: str) -> BadFileName:
    suggestion = _usable(_last_part(text))
    if suggestion is None:
        return BadFileName("This is a path. Give the name of a file, without its folder.")
    return BadFileName(f"This is a path. Give the file name alone: {suggestion}", suggestion)


def _last_part(text: str) -> str:
    parts = re.split(r"[\\/]", text.strip().strip('"'))
    return next((part for part in reversed(parts) if part.strip() and not _DRIVE.fullmatch(part)), "")


def _usable(name: str) -> str | None:
    """The name when it could be asked for, so that nobody is offered another mistake."""
    try:
        return parse_file(name).text
    except BadFileName:
        return None
