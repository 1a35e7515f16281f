"""Which reader reads a file: decided by what is in it, never by its name."""

import io
from collections.abc import Callable
from pathlib import Path

from hunts.telemetry.errors import Refusal, UnreadableFile
from hunts.telemetry.lines import UTF8_BOM, LineSource
from hunts.telemetry.readers import defender_csv, log_analytics_csv, streaming_json
from hunts.telemetry.readers.base import Reader, Unrecognised

# This much of a file is looked at before anything is imported.
_HEAD_BYTES = 4 * 1024 * 1024
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

Recogniser = Callable[[LineSource], Reader]
# Asked in this order; when none fits, the last one says why.
_OF_JSON: tuple[Recogniser, ...] = (streaming_json.recognise,)
_OF_TEXT: tuple[Recogniser, ...] = (defender_csv.recognise, log_analytics_csv.recognise)


def choose_reader(path: Path) -> Reader:
    """Raises UnreadableFile, naming the file, when no reader reads it."""
    try:
        return _recognise(_head(path))
    except Unrecognised as error:
        raise UnreadableFile([Refusal(path, str(error))]) from error
    except OSError as error:
        raise UnreadableFile([Refusal(path, error.strerror or str(error))]) from error


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise Unrecognised("is a folder; name the files in it")
    if path.exists() and not path.is_file():
        raise Unrecognised("is not an ordinary file")
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _recognise(head: bytes) -> Reader:
    start = head.removeprefix(UTF8_BOM).lstrip()[:1]
    if head.startswith(_UTF16_MARKS):
        raise Unrecognised("is UTF-16; save it as UTF-8")
    if not start:
        raise Unrecognised("is empty")
    reason = ""
    for recognise in _OF_JSON if start in b"{[" else _OF_TEXT:
        try:
            return recognise(LineSource(io.BytesIO(head)))
        except Unrecognised as error:
            reason = str(error)
    raise Unrecognised(reason)
