"""Gzip and zip, opened without trust: what they hold is counted while it comes out."""

import os
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedReader, FileIO, RawIOBase
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol

from hunts.telemetry.lines import ByteStream
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
_GZIP_BITS, _DEFLATE_BITS = 31, -15
GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_DIRECTORY_BYTES = 16 * 1024 * 1024
_DIRECTORY_ENTRY = b"PK\x01\x02"
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")


class BrokenOff(Exception):
    """A packed file ends or is damaged in the middle; what came before is good."""


def most_unpacked(packed_bytes: int, limits: Limits) -> int:
    return min(limits.unpacked_bytes, max(_ALWAYS_FINE, limits.ratio * packed_bytes))


def check_unpacked(unpacked_bytes: int, most: int) -> None:
    if unpacked_bytes > most:
        raise Unrecognised(f"unpacks to more than {most:,} bytes; unpack it yourself if you trust it")


class _Unpacked(Protocol):
    def take(self, size: int) -> bytes: ...


class UnpackedStream(RawIOBase):
    """Raises Unrecognised when more comes out than the limits allow, and BrokenOff."""

    def __init__(self, source: _Unpacked, packed_bytes: int, limits: Limits) -> None:
        self._source = source
        self._cap = most_unpacked(packed_bytes, limits)
        self._taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]  # as RawIOBase calls it
        data = self._source.take(len(buffer))
        self._taken += len(data)
        check_unpacked(self._taken, self._cap)
        buffer[: len(data)] = data
        return len(data)


class _Inflating:
    """One deflated stream. What comes before damage comes out before it is told of."""

    def __init__(self, wbits: int) -> None:
        self._stream = zlib.decompressobj(wbits)
        self._damage: zlib.error | None = None

    def take(self, packed: bytes, size: int) -> bytes:
        if self._damage is not None:
            raise BrokenOff(f"it is damaged: {self._damage}") from self._damage
        before = self._stream.copy()
        try:
            return self._stream.decompress(packed, size)
        except zlib.error as error:
            self._damage = error
            return _before_damage(before, packed) or self.take(packed, size)

    @property
    def ended(self) -> bool:
        return self._stream.eof

    @property
    def rest(self) -> bytes:
        """Of the packed bytes: for the next call or, when this stream has ended, behind it."""
        return self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail


def _before_damage(stream: "zlib._Decompress", packed: bytes) -> bytes:
    found = bytearray()
    for step in (1024, 1):
        while True:
            before = stream.copy()
            try:
                data = stream.decompress(packed, step)
            except zlib.error:
                stream = before
                break
            found += data
            packed = stream.unconsumed_tail
    return bytes(found)


class _Gzip:
    """One or more gzip streams behind each other. zlib checks each one's checksum."""

    def __init__(self, file: ByteStream) -> None:
        self._file = file
        self._waiting = b""
        self._stream: _Inflating | None = None

    def take(self, size: int) -> bytes:
        while True:
            if self._stream is None and not self._start():
                return b""
            stream = self._stream or _Inflating(_GZIP_BITS)
            if not self._waiting:
                self._waiting = self._file.read(_CHUNK)
                if not self._waiting:
                    raise BrokenOff("the gzip file ends in the middle")
            data = stream.take(self._waiting, size)
            self._waiting = stream.rest
            if stream.ended:
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
        self._stream = _Inflating(_GZIP_BITS)
        return True


class _ZipMember:
    """zipfile would lose the last quarter of a megabyte before damage; here what is good comes out."""

    def __init__(self, file: ByteStream, info: zipfile.ZipInfo) -> None:
        self._file = file
        self._info = info
        self._packed_left = info.compress_size
        self._waiting = b""
        self._inflate = _Inflating(_DEFLATE_BITS) if info.compress_type == zipfile.ZIP_DEFLATED else None
        self._taken = 0
        self._checksum = 0
        file.seek(info.header_offset)
        header = file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(ZIP_MAGICS[0]):
            raise Unrecognised("the zip file is damaged: a file in it does not begin where it should")
        *_, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
        file.seek(name_bytes + extra_bytes, os.SEEK_CUR)

    def take(self, size: int) -> bytes:
        data = self._next(size)
        self._taken += len(data)
        self._checksum = zlib.crc32(data, self._checksum)
        ended = data == b"" and size > 0
        if self._taken > self._info.file_size or (
            ended and (self._taken, self._checksum) != (self._info.file_size, self._info.CRC)
        ):
            raise BrokenOff("the zip file is damaged: its checksums do not fit")
        return data

    def _next(self, size: int) -> bytes:
        if self._inflate is None:
            return self._packed(size)
        while not self._inflate.ended:
            self._waiting = self._waiting or self._packed(_CHUNK)
            data = self._inflate.take(self._waiting, size)
            if not data and not self._waiting:
                raise BrokenOff("the zip file is damaged: a file in it ends in the middle")
            self._waiting = self._inflate.rest
            if data:
                return data
        return b""

    def _packed(self, size: int) -> bytes:
        data = self._file.read(min(size, self._packed_left))
        self._packed_left -= len(data)
        return data


def unpacked_gzip(file: ByteStream, packed_bytes: int, limits: Limits) -> BufferedReader:
    return BufferedReader(UnpackedStream(_Gzip(file), packed_bytes, limits), _CHUNK)


def unpacked_member(file: ByteStream, info: zipfile.ZipInfo, limits: Limits) -> BufferedReader:
    return BufferedReader(UnpackedStream(_ZipMember(file, info), info.compress_size, limits), _CHUNK)


class _Directory(FileIO):
    """A zip file from which zipfile takes its directory, and only so much of it.

    What the archive says of its size is not asked: it may say so in several places, and not the truth.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(path)
        self._limits = limits

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(
            _DIRECTORY_BYTES + 1 if size is None or size < 0 else min(size, _DIRECTORY_BYTES + 1)
        )
        if len(data) > _DIRECTORY_BYTES:
            raise Unrecognised("has a directory too large to be read")
        _check_entries(data.count(_DIRECTORY_ENTRY), self._limits)
        return data


def _check_entries(entries: int, limits: Limits) -> None:
    if entries > limits.entries:
        raise Unrecognised(f"holds {entries:,} files; {limits.entries:,} are read at most")


def members(path: Path, limits: Limits) -> Sequence[zipfile.ZipInfo]:
    """The files of a zip, in its order. Raises Unrecognised for one that must not be unpacked."""
    try:
        with _Directory(path, limits) as directory, zipfile.ZipFile(directory) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, struct.error) as error:
        raise Unrecognised(f"the zip file is damaged: {error}") from error
    _check_entries(len(infos), limits)
    files = [info for info in infos if not info.is_dir()]
    for info in files:
        _check_member(info)
    check_unpacked(sum(info.file_size for info in files), most_unpacked(path.stat().st_size, limits))
    names = [info.filename for info in files]
    if len(set(names)) != len(names):
        raise Unrecognised("holds two files of the same name")
    return [info for info in files if not _is_left_by_a_system(info)]


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
