"""CSV as the Defender portal exports advanced hunting: `Timestamp`, in UTC, named or ISO months."""

from hunts.telemetry.lines import LineSource
from hunts.telemetry.readers.base import Unrecognised
from hunts.telemetry.readers.csv_table import CsvTable, check_header, read_header


class DefenderCsv(CsvTable):
    title = "Defender portal CSV"


def recognise(lines: LineSource) -> DefenderCsv:
    header = read_header(lines)
    check_header(header)
    if "Timestamp" not in header:
        raise Unrecognised("there is no column Timestamp")
    return DefenderCsv(header)
