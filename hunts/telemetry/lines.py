"""Physical lines of a file, in bounded memory."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, Protocol

# The longest line, and the longest CSV record or JSON object, that is read. Anything longer is put aside.
LINE_CAP = 1024 * 1024
LINE_CAP_WORDS = "1 MiB"
UTF8_BOM = b"\xef\xbb\xbf"


class ByteStream(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...

    def read1(self, size: int = -1, /) -> bytes: ...

    def readline(self, size: int | None = -1, /) -> bytes: ...

    def seek(self, place: int, whence: int = 0, /) -> int: ...

    def tell(self) -> int: ...


class Line(NamedTuple):
    number: int
    data: bytes
    # True when the line is longer than the cap; `data` is then its beginning.
    too_long: bool


class LineSource:
    """Iterates over the lines of a file; `put_back` lets a reader look at lines again.

    `read` gives bytes instead, for files whose lines mean nothing; a file is read one way or the other.
    """

    def __init__(self, file: ByteStream) -> None:
        self.bytes_read = 0
        # Of the line that was read last.
        self.number = 0
        self._file = file
        self._waiting: deque[Line] = deque()

    def __iter__(self) -> "LineSource":
        return self

    def __next__(self) -> Line:
        if self._waiting:
            return self._waiting.popleft()
        data = self._file.readline(LINE_CAP + 1)
        if not data:
            raise StopIteration
        self.number += 1
        if self.number == 1:
            data = data.removeprefix(UTF8_BOM)
        self.bytes_read += len(data)
        too_long = len(data) > LINE_CAP and not data.endswith(b"\n")
        if too_long:
            self._skip_rest()
        return Line(self.number, data, too_long)

    def put_back(self, lines: Iterable[Line]) -> None:
        self._waiting.extendleft(reversed(list(lines)))

    def read(self, size: int) -> bytes:
        # One look at a time: when a packed file breaks off, nothing is lost of what came before.
        data = self._file.read1(size)
        if self.bytes_read == 0:
            data = data.removeprefix(UTF8_BOM)
        self.bytes_read += len(data)
        self.number += data.count(b"\n")
        return data

    def _skip_rest(self) -> None:
        while data := self._file.readline(LINE_CAP):
            self.bytes_read += len(data)
            if data.endswith(b"\n"):
                return
