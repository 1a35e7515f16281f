"""The objects of a JSON file, one after the other, in bounded memory.

Either each line is an object of its own, or the file is a document: printed over many lines, a list, or
one long line. Of a document only as much is held as one event needs: `{"results": [{…}, {…}]}` is two
pieces, whatever its size.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic_core import from_json

from hunts.telemetry.lines import LINE_CAP, LINE_CAP_WORDS, LineSource
from hunts.telemetry.readers.base import BadLine

# What is put around events, by Event Hubs and by the services' answers.
WRAPPINGS = ("body", "records", "results", "Results", "value")
_WRAPPING_KEYS = frozenset(f'"{key}"'.encode() for key in WRAPPINGS)

_CHUNK = 256 * 1024
# No group is possessive here: up to Python 3.11.4 such a one misses matches.
_INSIDE = rb'[^"\\\x00-\x1f]*+(?:\\[^\x00-\x1f][^"\\\x00-\x1f]*+)*'
_TEXT = rb'"' + _INSIDE + rb'"'
_TOKEN = re.compile(rb"(?P<token>" + _TEXT + rb'|["{}\[\]])')
# Inside an event only brackets matter, and the text before one, which may be a key.
_TO_BRACKET = re.compile(rb'[^"{}\[\]]*+(?:(?P<text>' + _TEXT + rb')[^"{}\[\]]*+)*(?P<token>["{}\[\]])?')
_TEXT_THAT_GOES_ON = re.compile(rb'"' + _INSIDE + rb"\\?\Z")
_OPENS_WITH = {b"}": b"{", b"]": b"["}
_BETWEEN_EVENTS = b" \t\r\n,"
# JSON itself is read to 200 levels.
_DEEPEST = 1_000
_CUT_OFF = "not JSON: it ends in the middle"
# Stands for the bracket of a list, around events, that holds none.
_LIST_OF_OTHERS = b""


class BadObject(Exception):
    """Why a piece is no event; the rest of the file may be."""


@dataclass(frozen=True, slots=True)
class Piece:
    number: int
    data: bytes


def decoded(data: bytes) -> object:
    """Strict, and twice as fast as the standard library: half a surrogate pair, NaN, bytes that are no
    UTF-8 and more than 200 levels are errors."""
    try:
        value: object = from_json(data, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise BadObject(f"not JSON: {error}") from error
    return value


def pieces_by_line(lines: LineSource) -> Iterator[Piece | BadLine]:
    for line in lines:
        if line.data.isspace():
            continue
        if line.too_long:
            yield BadLine(line.number, f"longer than {LINE_CAP_WORDS}", line.data)
        else:
            yield Piece(line.number, line.data)


def pieces_of_document(lines: LineSource) -> Iterator[Piece | BadLine]:
    """Where it is not JSON, the line is put aside and the next event looked for behind it."""
    return _Document(lines).pieces()


class _Document:
    def __init__(self, lines: LineSource) -> None:
        self._lines = lines
        # A window on the document, read up to `_place`.
        self._data = b""
        self._place = 0
        self._ended = False
        self._skips_line = False
        # The line number of a place in the window.
        self._number = 1
        self._counted = 0
        # Where the event begins that is being read; its open brackets; how many of those only wrap.
        self._begin: int | None = None
        self._inner: list[bytes] = []
        self._wrapping = 0
        self._is_dropped = False
        # The brackets around events.
        self._outer: list[bytes] = []
        self._text = b""
        self._text_end = 0

    def pieces(self) -> Iterator[Piece | BadLine]:
        while True:
            match = self._next_token()
            if match is None or self._goes_on(match):
                yield from self._pass_over(len(self._data) if match is None else match.start("token"))
                yield from self._check_length()
                if not self._read_more():
                    break
                continue
            yield from self._pass_over(match.start("token"))
            token = match.group("token")
            if token == b'"':
                cut = _TEXT_THAT_GOES_ON.match(self._data, self._place)
                yield self._break_off(_CUT_OFF if cut and self._ended else "not JSON: a text is not closed")
                continue
            self._place = match.end()
            if token in b"{[":
                yield from self._open(token, match.start("token"))
            elif token in b"}]":
                yield from self._close(token)
            else:
                yield from self._take_text(token)
        if self._begin is not None and not self._is_dropped:
            yield BadLine(self._line_at(self._begin), _CUT_OFF, self._data[self._begin :])
        elif self._outer:
            yield BadLine(self._line_at(self._place), "not JSON: the list is not closed", b"")

    def _next_token(self) -> "re.Match[bytes] | None":
        if self._begin is None:
            return _TOKEN.search(self._data, self._place)
        match = _TO_BRACKET.match(self._data, self._place)
        if match is None:
            return None
        if match.start("text") >= 0:
            self._text, self._text_end = match.group("text"), match.end("text")
        return match if match.start("token") >= 0 else None

    def _goes_on(self, match: "re.Match[bytes]") -> bool:
        """Whether this is a text whose end is not in the window yet."""
        start = match.start("token")
        if self._ended or match.group("token") != b'"' or len(self._data) - start > LINE_CAP:
            return False
        return _TEXT_THAT_GOES_ON.match(self._data, start) is not None

    def _pass_over(self, end: int) -> Iterator[BadLine]:
        between = self._data[self._place : end].strip(_BETWEEN_EVENTS)
        if between and self._begin is None and not self._is_in_wrapping():
            yield BadLine(self._line_at(self._place), "no JSON object", between)
        self._place = end

    def _take_text(self, text: bytes) -> Iterator[BadLine]:
        self._text, self._text_end = text, self._place
        if self._begin is None and not self._is_in_wrapping():
            yield BadLine(self._line_at(self._place - len(text)), "no JSON object", text)

    def _is_in_wrapping(self) -> bool:
        return bool(self._outer) and self._outer[-1] != b"["

    def _open(self, bracket: bytes, place: int) -> Iterator[BadLine]:
        if len(self._inner) + len(self._outer) >= _DEEPEST:
            yield self._break_off("not JSON: too deep")
        elif self._begin is None:
            self._open_outside(bracket, place)
        else:
            self._open_inside(bracket, place)

    def _open_outside(self, bracket: bytes, place: int) -> None:
        if bracket == b"{":
            self._begin, self._inner, self._wrapping = place, [bracket], 1
            self._is_dropped = self._is_in_wrapping()
        elif self._is_in_wrapping() and not self._is_value_of_wrapping(place):
            self._outer.append(_LIST_OF_OTHERS)
        else:
            self._outer.append(bracket)

    def _open_inside(self, bracket: bytes, place: int) -> None:
        wraps = self._wrapping == len(self._inner) and self._is_value_of_wrapping(place)
        self._inner.append(bracket)
        if wraps and bracket == b"[" and not self._is_dropped:
            # What was taken for an event was put around events.
            self._outer += self._inner
            self._begin, self._inner = None, []
        elif wraps:
            self._wrapping += 1

    def _is_value_of_wrapping(self, place: int) -> bool:
        return self._text in _WRAPPING_KEYS and self._data[self._text_end : place].strip() == b":"

    def _close(self, bracket: bytes) -> Iterator[Piece | BadLine]:
        opening = _OPENS_WITH[bracket]
        if self._begin is None:
            if self._outer and (self._outer[-1] or b"[") == opening:
                self._outer.pop()
            return
        if self._inner[-1] != opening:
            yield self._break_off("not JSON: brackets do not match")
            return
        self._inner.pop()
        if not self._inner:
            if not self._is_dropped:
                yield Piece(self._line_at(self._begin), self._data[self._begin : self._place])
            self._begin = None

    def _break_off(self, reason: str) -> BadLine:
        begin = self._place if self._begin is None else self._begin
        bad = BadLine(self._line_at(begin), reason, self._data[begin : self._place + LINE_CAP])
        line_end = self._data.find(b"\n", self._place)
        self._skips_line = line_end < 0
        self._place = len(self._data) if line_end < 0 else line_end + 1
        self._begin, self._inner = None, []
        self._outer = [b"["] if b"[" in self._outer else []
        return bad

    def _check_length(self) -> Iterator[BadLine]:
        if self._begin is None or self._place - self._begin <= LINE_CAP:
            return
        if not self._is_dropped:
            data = self._data[self._begin : self._place]
            yield BadLine(self._line_at(self._begin), f"longer than {LINE_CAP_WORDS}", data)
        self._is_dropped = True
        self._begin = self._place

    def _read_more(self) -> bool:
        gone = self._place if self._begin is None else self._begin
        self._line_at(gone)
        self._counted -= gone
        more = self._lines.read(_CHUNK)
        self._ended = not more
        self._data = self._data[gone:] + more
        self._place -= gone
        self._text_end -= gone
        if self._begin is not None:
            self._begin = 0
        if self._skips_line and more:
            line_end = self._data.find(b"\n")
            self._skips_line = line_end < 0
            self._place = len(self._data) if line_end < 0 else line_end + 1
        return bool(more) or self._place < len(self._data)

    def _line_at(self, place: int) -> int:
        if place > self._counted:
            self._number += self._data.count(b"\n", self._counted, place)
            self._counted = place
        return self._number
