"""Gzip and zip, opened without trust: what they hold is counted while it comes out."""

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO, Protocol, cast

from hunts.telemetry.readers.base import Unrecognised


@dataclass(frozen=True)
class Limits:
    """What an archive may become. Telemetry packs twenty to sixty times smaller."""

    entries: int = 10_000
    ratio: int = 250
    unpacked_bytes: int = 200 * 1024**3


# A few long runs pack better than any ratio; so little cannot hurt.
_ALWAYS_FINE = 64 * 1024 * 1024
_CHUNK = 256 * 1024
GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_DIRECTORY_BYTES = 16 * 1024 * 1024
_DIRECTORY_END = struct.Struct("<4s4H2LH")
_DIRECTORY_END_64 = struct.Struct("<4sQ2H2L4Q")
_LONGEST_COMMENT = 65_535


class BrokenOff(Exception):
    """A packed file ends or is damaged in the middle; what came before is good."""


class _Unpacked(Protocol):
    def take(self, size: int) -> bytes: ...


class UnpackedStream(RawIOBase):
    """Raises Unrecognised when more comes out than the limits allow, and BrokenOff."""

    def __init__(self, source: _Unpacked, packed_bytes: int, limits: Limits) -> None:
        self._source = source
        self._cap = min(limits.unpacked_bytes, max(_ALWAYS_FINE, limits.ratio * packed_bytes))
        self._taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]  # as RawIOBase calls it
        data = self._source.take(len(buffer))
        self._taken += len(data)
        if self._taken > self._cap:
            raise Unrecognised(
                f"unpacks to more than {self._cap:,} bytes; unpack it yourself if you trust it"
            )
        buffer[: len(data)] = data
        return len(data)


class _Gzip:
    """One or more gzip streams behind each other. zlib checks each one's checksum."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._waiting = b""
        self._stream: zlib._Decompress | None = None

    def take(self, size: int) -> bytes:
        while True:
            if self._stream is None and not self._start():
                return b""
            stream = cast("zlib._Decompress", self._stream)
            if not self._waiting:
                self._waiting = self._file.read(_CHUNK)
                if not self._waiting:
                    raise BrokenOff("the gzip file ends in the middle")
            try:
                data = stream.decompress(self._waiting, size)
            except zlib.error as error:
                raise BrokenOff(f"the gzip file is damaged: {error}") from error
            self._waiting = stream.unused_data if stream.eof else stream.unconsumed_tail
            if stream.eof:
                self._stream = None
            if data:
                return data

    def _start(self) -> bool:
        while len(self._waiting) < 2:
            more = self._file.read(_CHUNK)
            if not more:
                break
            self._waiting += more
        # Tapes and some tools fill up with zeros.
        self._waiting = self._waiting.lstrip(b"\0")
        if not self._waiting:
            return False
        if not self._waiting.startswith(GZIP_MAGIC):
            raise BrokenOff("what follows the gzip data is none")
        self._stream = zlib.decompressobj(wbits=31)
        return True


class _ZipMember:
    def __init__(self, file: "zipfile.ZipExtFile") -> None:
        self._file = file

    def take(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise BrokenOff(f"the zip file is damaged: {error}") from error


@contextmanager
def unpacked_gzip(file: BinaryIO, packed_bytes: int, limits: Limits) -> Iterator[BinaryIO]:
    yield BufferedReader(UnpackedStream(_Gzip(file), packed_bytes, limits), _CHUNK)


@contextmanager
def unpacked_member(file: BinaryIO, member: str, limits: Limits) -> Iterator[BinaryIO]:
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo(member)
        with archive.open(info) as opened:
            stream = UnpackedStream(
                _ZipMember(cast("zipfile.ZipExtFile", opened)), info.compress_size, limits
            )
            yield BufferedReader(stream, _CHUNK)


@dataclass(frozen=True)
class Member:
    name: str
    packed_bytes: int


def members(path: Path, limits: Limits) -> Sequence[Member]:
    """The files of a zip, in its order. Raises Unrecognised for one that must not be unpacked."""
    _check_directory(path, limits)
    try:
        with zipfile.ZipFile(path) as archive:
            files = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, struct.error) as error:
        raise Unrecognised(f"the zip file is damaged: {error}") from error
    for info in files:
        _check_member(info)
    total = sum(info.file_size for info in files)
    cap = min(limits.unpacked_bytes, max(_ALWAYS_FINE, limits.ratio * path.stat().st_size))
    if total > cap:
        raise Unrecognised(f"unpacks to {total:,} bytes; unpack it yourself if you trust it")
    names = [info.filename for info in files]
    if len(set(names)) != len(names):
        raise Unrecognised("holds two files of the same name")
    return [Member(info.filename, info.compress_size) for info in files if not _is_left_by_a_system(info)]


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.filename
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    outside = PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor or ".." in parts
    if outside:
        raise Unrecognised(f"holds {name[:200]!r}, which points outside the archive")
    if info.flag_bits & 0x1:
        raise Unrecognised(f"{name[:200]!r} in it is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unrecognised(f"{name[:200]!r} in it is packed in a way that is not read; pack it as plain zip")


def _is_left_by_a_system(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename)
    return path.parts[0] == "__MACOSX" or path.name.startswith(".")


def _check_directory(path: Path, limits: Limits) -> None:
    """Before zipfile reads the whole directory into memory."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _DIRECTORY_END.size - _LONGEST_COMMENT - 20 - _DIRECTORY_END_64.size))
        tail = file.read()
    entries, directory_bytes = _directory(tail)
    if entries > limits.entries:
        raise Unrecognised(f"holds {entries:,} files; {limits.entries:,} are read at most")
    if directory_bytes > _DIRECTORY_BYTES:
        raise Unrecognised("has a directory too large to be read")


def _directory(tail: bytes) -> tuple[int, int]:
    """Entries and bytes, as the end of a zip says, the large form when there is one."""
    found = []
    place = tail.rfind(b"PK\x05\x06")
    if place >= 0 and len(tail) - place >= _DIRECTORY_END.size:
        _, _, _, _, entries, directory_bytes, _, _ = _DIRECTORY_END.unpack_from(tail, place)
        found.append((entries, directory_bytes))
    place = tail.rfind(b"PK\x06\x06")
    if place >= 0 and len(tail) - place >= _DIRECTORY_END_64.size:
        *_, entries, directory_bytes, _ = _DIRECTORY_END_64.unpack_from(tail, place)
        # In the small form every bit set means: see the large form.
        found = [(entries, directory_bytes)]
    if not found:
        raise Unrecognised("the zip file is damaged: it has no directory")
    return found[0]
