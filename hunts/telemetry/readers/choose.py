"""Which reader reads an export: decided by what is in it, never by its name."""

import io
from collections.abc import Callable
from pathlib import Path

from hunts.telemetry.exports import Export, Packing, check_is_no_archive
from hunts.telemetry.lines import UTF8_BOM, LineSource
from hunts.telemetry.readers import defender_csv, evtx_file, json_events, log_analytics_csv, parquet_file
from hunts.telemetry.readers.base import Reader, Unrecognised

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

Recogniser = Callable[[LineSource], Reader]
# Asked in this order; when none fits, the last one says why.
_OF_TEXT: tuple[Recogniser, ...] = (defender_csv.recognise, log_analytics_csv.recognise)


def choose_reader(export: Export) -> Reader:
    """Raises Unrecognised, when no reader reads it, and OSError."""
    # A packed file that is not read line by line is looked at whole only when it is imported.
    with export.open(scratch=Path()) as opened:
        head = opened.head()
    check_is_no_archive(head)
    if head.startswith(parquet_file.MAGIC):
        if export.packing is Packing.NONE:
            parquet_file.check(export)
        return parquet_file.ParquetFile()
    if head.startswith(evtx_file.MAGIC):
        return evtx_file.EvtxFile()
    return _of_text(head)


def _of_text(head: bytes) -> Reader:
    start = head.removeprefix(UTF8_BOM).lstrip()[:1]
    if head.startswith(_UTF16_MARKS):
        raise Unrecognised("is UTF-16; save it as UTF-8")
    if not start:
        raise Unrecognised("is empty")
    if start in b"{[":
        return json_events.recognise(head.removeprefix(UTF8_BOM))
    reason = ""
    for recognise in _OF_TEXT:
        try:
            return recognise(LineSource(io.BytesIO(head)))
        except Unrecognised as error:
            reason = str(error)
    raise Unrecognised(reason)
