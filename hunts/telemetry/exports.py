"""The exports that an import was given: files, and what lies in folders, gzip and zip files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from io import BufferedReader, BytesIO, FileIO
from pathlib import Path
from zipfile import ZipInfo

from hunts.telemetry.errors import Refusal
from hunts.telemetry.lines import ByteStream, LineSource
from hunts.telemetry.readers.base import Unrecognised
from hunts.telemetry.unpacking import (
    GZIP_MAGIC,
    ZIP_MAGICS,
    BrokenOff,
    Limits,
    members,
    unpacked_gzip,
    unpacked_member,
)

# This much of an export is looked at before anything is imported.
HEAD_BYTES = 4 * 1024 * 1024
_BUFFER = 1024 * 1024
_OTHER_ARCHIVES = (
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!", "RAR"),
)
_TAR_MAGIC, _TAR_PLACE = b"ustar", 257


class Packing(Enum):
    NONE = auto()
    GZIP = auto()
    ZIP = auto()


@dataclass(frozen=True)
class Export:
    """One table of lines or records. `name` is how people are told of it, without the way to it."""

    path: Path
    name: str
    packing: Packing
    # As it lies on the disk.
    bytes: int
    limits: Limits
    # Inside a zip.
    member: ZipInfo | None = None

    @property
    def shown(self) -> Path:
        return self.path / self.member.filename if self.member else self.path

    @contextmanager
    def open(self, scratch: Path) -> Iterator["OpenExport"]:
        """`scratch` is a folder for readers that need an unpacked file."""
        with BufferedReader(FileIO(self.path), _BUFFER) as file:
            yield OpenExport(self, file, self._unpacked(file), scratch)

    def _unpacked(self, file: ByteStream) -> ByteStream:
        if self.packing is Packing.GZIP:
            return unpacked_gzip(file, self.bytes, self.limits)
        if self.member is not None:
            return unpacked_member(file, self.member, self.limits)
        return file


class OpenExport:
    def __init__(self, export: Export, file: ByteStream, stream: ByteStream, scratch: Path) -> None:
        self.export = export
        self._file = file
        self._stream = stream
        self._scratch = scratch

    @cached_property
    def lines(self) -> LineSource:
        return LineSource(self._stream)

    def head(self) -> bytes:
        """Its beginning. Of a packed export that breaks off, what comes before."""
        head = BytesIO()
        try:
            while head.tell() < HEAD_BYTES and (data := self._stream.read1(64 * 1024)):
                head.write(data)
        except BrokenOff as error:
            if not head.tell():
                raise Unrecognised(str(error)) from error
        return head.getvalue()

    def on_disk(self) -> Path:
        """A file of its own with the unpacked bytes. Raises BrokenOff."""
        if self.export.packing is Packing.NONE:
            return self.export.path
        path = self._scratch / "unpacked"
        with path.open("wb") as file:
            while data := self._stream.read1(_BUFFER):
                file.write(data)
        return path

    def bytes_done(self) -> int:
        """Of `Export.bytes`."""
        if self.export.packing is Packing.GZIP:
            return self._file.tell()
        return min(self.lines.bytes_read, self.export.bytes)


def find_exports(named: Sequence[tuple[Path, str]], limits: Limits) -> tuple[list[Export], list[Refusal]]:
    """Those that may be opened, in order, and why the others may not; paths with what people call them."""
    exports: list[Export] = []
    refusals: list[Refusal] = []
    for path, called in named:
        try:
            files = _files(path, called, limits)
        except (Unrecognised, OSError) as error:
            refusals.append(refusal(path, error))
            continue
        for file, name in files:
            try:
                exports.extend(exports_of(file, name, limits))
            except (Unrecognised, OSError) as error:
                refusals.append(refusal(file, error))
    return exports, refusals


def refusal(path: Path, error: Unrecognised | OSError) -> Refusal:
    return Refusal(path, (isinstance(error, OSError) and error.strerror) or str(error))


def exports_of(path: Path, name: str, limits: Limits) -> list[Export]:
    """Of one file: itself, or what is in it. Raises Unrecognised and OSError."""
    if path.exists() and not path.is_file():
        raise Unrecognised("is not an ordinary file")
    with path.open("rb") as file:
        start = file.read(512)
    size = path.stat().st_size
    if start.startswith(ZIP_MAGICS):
        found = members(path, limits)
        if not found:
            raise Unrecognised("is a zip file without files")
        return [
            Export(path, f"{name}/{member.filename}", Packing.ZIP, member.compress_size, limits, member)
            for member in found
        ]
    if start.startswith(GZIP_MAGIC):
        return [Export(path, name, Packing.GZIP, size, limits)]
    return [Export(path, name, Packing.NONE, size, limits)]


def check_is_no_archive(head: bytes) -> None:
    """Raises Unrecognised for what must be unpacked first, also inside gzip and zip."""
    if head.startswith((GZIP_MAGIC, *ZIP_MAGICS)):
        raise Unrecognised("is an archive inside an archive; unpack it first")
    for magic, title in _OTHER_ARCHIVES:
        if head.startswith(magic):
            raise Unrecognised(f"is packed with {title}; unpack it, or pack it as zip or gzip")
    if head[_TAR_PLACE:].startswith(_TAR_MAGIC):
        raise Unrecognised("is a tar archive; unpack it first")


def _files(path: Path, called: str, limits: Limits) -> list[tuple[Path, str]]:
    """A folder's files with their names below it, in order; links in it are not followed."""
    if not path.is_dir():
        return [(path, called)]
    found: list[tuple[Path, str]] = []
    for file in path.rglob("*"):
        below = file.relative_to(path)
        if file.is_symlink() or not file.is_file() or any(part.startswith(".") for part in below.parts):
            continue
        found.append((file, f"{called}/{below}"))
        if len(found) > limits.entries:
            raise Unrecognised(f"holds more than {limits.entries:,} files")
    if not found:
        raise Unrecognised("is a folder without files")
    return sorted(found)
