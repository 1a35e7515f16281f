"""Windows event logs as they lie on the disk: `Microsoft-Windows-Sysmon%4Operational.evtx`."""

from collections.abc import Iterator

from evtx import PyEvtxParser

from hunts.telemetry.cells import BadCell, CellReader
from hunts.telemetry.exports import OpenExport
from hunts.telemetry.readers.base import BadLine, Item, OtherTable, Unrecognised
from hunts.telemetry.readers.json_pieces import BadObject, decoded
from hunts.telemetry.readers.sysmon_json import cells_of

MAGIC = b"ElfFile\0"
_NO_EVENT = "no event of Windows"


class EvtxFile:
    title = "Windows event log"

    def items(self, export: OpenExport, cells: CellReader) -> Iterator[Item]:
        """The line number of a bad line is the number of the record in the file."""
        records = _records(export)
        for number, data in enumerate(records, start=1):
            if isinstance(data, RuntimeError):
                yield BadLine(number, f"no readable record: {data}"[:300], b"")
                continue
            try:
                event = decoded(data.encode())
                row = cells_of(event) if isinstance(event, dict) else None
                if row is None:
                    raise BadObject(_NO_EVENT)
                yield row if isinstance(row, OtherTable) else [cells.finish(row)]
            except (BadObject, BadCell) as error:
                yield BadLine(number, str(error), data.encode())


def _records(export: OpenExport) -> Iterator[str | RuntimeError]:
    try:
        parser = PyEvtxParser(str(export.on_disk()), number_of_threads=1)
        records = parser.records_json()
    except (RuntimeError, OSError) as error:
        raise Unrecognised(f"is a damaged Windows event log: {error}") from error
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except RuntimeError as error:
            yield error
        else:
            if record is not None:
                yield record["data"]
