"""CSV as the Log Analytics and Sentinel portals export it.

A time column carries its zone in the header, `TimeGenerated [UTC]`; times read `7/1/2022, 5:42:37.879 AM`.
"""

import re
from collections.abc import Sequence

from hunts.telemetry.lines import LineSource
from hunts.telemetry.readers.base import Unrecognised
from hunts.telemetry.readers.csv_table import CsvTable, check_header, read_header

_ZONED = re.compile(r"(.+?) ?\[(.+)\]")


class LogAnalyticsCsv(CsvTable):
    title = "Log Analytics portal CSV"

    @classmethod
    def plain_header(cls, names: Sequence[str]) -> list[str]:
        return [_without_zone(name.removeprefix("\ufeff")) for name in names]


def recognise(lines: LineSource) -> LogAnalyticsCsv:
    header = LogAnalyticsCsv.plain_header(read_header(lines))
    check_header(header)
    if "TimeGenerated" not in header:
        raise Unrecognised("there is no column TimeGenerated")
    return LogAnalyticsCsv(header)


def _without_zone(name: str) -> str:
    match = _ZONED.fullmatch(name)
    if match is None:
        return name
    plain, zone = match.groups()
    if zone.upper() != "UTC":
        raise Unrecognised(f"its times are in {zone!r}; set the portal's time zone to UTC and export again")
    return plain
