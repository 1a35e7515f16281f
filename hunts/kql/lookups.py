"""Two siblings of the question: who else talks to this, and on which machines was this file seen.

Both are public hunting queries too ("Network footprint", "File footprint"), here with a bound on time,
a bound on rows, and without the trap of `endswith`, which takes notevil.com for evil.com.
"""

from __future__ import annotations

from collections.abc import Sequence

from hunts.kql.files import AskedFile
from hunts.kql.footprint import TABLE, Dialect, Query, asks_for, time_lines
from hunts.kql.quote import quote
from hunts.kql.window import Window

TALKER_COLUMNS = ("File", "Device", "Name", "Address", "FirstSeen", "LastSeen", "Events")
MACHINE_COLUMNS = ("Device", "File", "FirstSeen", "LastSeen", "Events", "Actions")
_ACTIONS = 12
# Where the services record files by their hash. A table that a workspace lacks is passed over.
_FILE_TABLES = (
    *("DeviceFileEvents", "DeviceProcessEvents", "DeviceEvents", "DeviceRegistryEvents"),
    *("DeviceNetworkEvents", "DeviceImageLoadEvents"),
)


def talkers_query(
    spellings: Sequence[str], window: Window, dialect: Dialect, limit: int, *, is_address: bool
) -> Query:
    """Which files on which machines talk to an address, or to a name in any of its spellings.

    A name is looked for anywhere in RemoteUrl, which may be a URL: what is another name drops on arrival.
    """
    column, operator = ("RemoteIP", "==") if is_address else ("RemoteUrl", "contains")
    asked = " or ".join(f"{column} {operator} {quote(text)}" for text in dict.fromkeys(spellings))
    return _query(
        [TABLE, *time_lines(window, dialect), f"| where {asked}"],
        dialect,
        by="File=InitiatingProcessFileName, Device=DeviceName, Name=RemoteUrl, Address=RemoteIP",
        columns=TALKER_COLUMNS,
        limit=limit,
    )


def machines_query(file: AskedFile, window: Window, dialect: Dialect, limit: int) -> Query:
    """On which machines the file talked to anything: all that network events can say."""
    return _query(
        [TABLE, *time_lines(window, dialect), f"| where {asks_for([file])}"],
        dialect,
        by="Device=DeviceName, File=InitiatingProcessFileName",
        columns=MACHINE_COLUMNS,
        limit=limit,
    )


def machines_by_hash_query(
    hash_column: str, text: str, window: Window, dialect: Dialect, limit: int
) -> Query:
    """On which machines a file of this hash was seen in any table, as itself or as what began something."""
    if hash_column not in ("SHA1", "SHA256"):
        raise ValueError("A file is known by its SHA1 or its SHA256.")
    asked = quote(text.lower())
    its_own = f"{hash_column} =~ {asked}"
    return _query(
        [
            f"union isfuzzy=true {', '.join(_FILE_TABLES)}",
            *time_lines(window, dialect),
            f"| where {its_own} or InitiatingProcess{hash_column} =~ {asked}",
            f"| extend Seen=iff({its_own}, FileName, InitiatingProcessFileName)",
        ],
        dialect,
        by="Device=DeviceName, File=Seen",
        columns=MACHINE_COLUMNS,
        limit=limit,
    )


def _query(lines: list[str], dialect: Dialect, *, by: str, columns: tuple[str, ...], limit: int) -> Query:
    time = dialect.time_column
    sets = (("Actions", _ACTIONS),) if "Actions" in columns else ()
    actions = f", Actions=make_set(ActionType, {_ACTIONS})" if sets else ""
    text = "\n".join(
        (
            *lines,
            f"| summarize FirstSeen=min({time}), LastSeen=max({time}), Events=count(){actions}",
            f"         by {by}",
            # One more than is kept tells that there are more.
            f"| top {limit + 1} by Events desc",
        )
    )
    return Query(text, columns, sets=sets)
