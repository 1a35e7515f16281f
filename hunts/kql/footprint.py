"""The question: which addresses and names do these files talk to?

Two texts ask it. The seed is the public hunting query "File footprint (1)", word for word. The rich
one has the same distinct (IP, DNS) pairs and the evidence a reviewer needs, per UTC day.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hunts.kql.files import AskedFile, FileKind
from hunts.kql.quote import quote
from hunts.kql.window import Window

TABLE = "DeviceNetworkEvents"
IS_ENDPOINT = "( isnotempty(RemoteIP) or isnotempty(RemoteUrl) )"

COLUMN_OF_KIND = {
    FileKind.NAME: "InitiatingProcessFileName",
    FileKind.SHA1: "InitiatingProcessSHA1",
    FileKind.SHA256: "InitiatingProcessSHA256",
}


@dataclass(frozen=True)
class Evidence:
    """A set of values kept beside a pair: its field in a row, its name in the answer, its column."""

    field: str
    name: str
    column: str
    cap: int

    @property
    def limit(self) -> int:
        # One more than the cap shows that there are more. Another one, because an empty string takes
        # a place in the set and is dropped on arrival.
        return self.cap + 2


EVIDENCE = (
    Evidence("device_names", "DeviceNames", "DeviceName", 25),
    Evidence("ports", "Ports", "RemotePort", 25),
    Evidence("actions", "Actions", "ActionType", 10),
    Evidence("accounts", "Accounts", "InitiatingProcessAccountName", 10),
    Evidence("hashes", "Hashes", "InitiatingProcessSHA1", 10),
    Evidence("folders", "Folders", "InitiatingProcessFolderPath", 10),
    Evidence("publishers", "Publishers", "InitiatingProcessVersionInfoCompanyName", 5),
    Evidence("parents", "Parents", "InitiatingProcessParentFileName", 5),
    Evidence("command_lines", "CommandLines", "InitiatingProcessCommandLine", 5),
)
CAPS = {evidence.field: evidence.cap for evidence in EVIDENCE}

COLUMNS = (
    *("Day", "File", "IP", "DNS"),
    *("FirstSeen", "LastSeen", "Events", "ActiveHours", "Devices"),
    *(evidence.name for evidence in EVIDENCE),
)

_SEED = "\n".join(
    (
        (
            "// Query # 2 - Shows you a list of distinct IP addresses and DNS names the endpoint had network"
            " communication with through a specific file. "
        ),
        (
            "// Use this list to whitelist/blacklist IP addresses or understand if there are communication"
            " with IP you are not aware of."
        ),
        "// Update the filename to the name you wish to investigate network communication.",
        "let filename = {filename};",
        "// Builds table for distinct URLs based off filename",
        "DeviceNetworkEvents ",
        "| where InitiatingProcessFileName =~ filename and ( isnotempty(RemoteIP) or isnotempty(RemoteUrl) )",
        "| project DNS=RemoteUrl, IP=RemoteIP",
        "| distinct IP, DNS",
    )
)
_PART = re.compile(r"[0-9a-f]{0,32}")


@dataclass(frozen=True)
class Dialect:
    """What differs between the places that answer KQL."""

    time_column: str
    # Columns the source does not have: the query has the empty string in their place.
    lacks: frozenset[str] = frozenset()

    def column(self, name: str) -> str:
        return '""' if name in self.lacks else name


@dataclass(frozen=True)
class Query:
    text: str
    columns: tuple[str, ...]
    # File names, ASCII letters lower-cased, that a source may reduce its rows to before KQL sees
    # them. None: it must look at all rows.
    names: tuple[str, ...] | None = None
    # Columns that hold a set, with the most values the query asks for.
    sets: tuple[tuple[str, int], ...] = ()


def seed_query(name: str) -> Query:
    # No names: this text is the measure of the rich one, so nothing may be pruned for it.
    return Query(_SEED.replace("{filename}", quote(name)), ("IP", "DNS"))


def footprint_queries(
    files: Sequence[AskedFile], window: Window, dialect: Dialect, part: str = ""
) -> tuple[Query, ...]:
    """One query for all names, one for all SHA1 and one for all SHA256 hashes, as far as asked for."""
    return tuple(footprint_query(group, window, dialect, part) for group in split_by_kind(files))


def footprint_query(files: Sequence[AskedFile], window: Window, dialect: Dialect, part: str = "") -> Query:
    """Files of one kind. `part` keeps the pairs whose MD5 begins with these hexadecimal digits."""
    kind = _one_kind(files)
    time, column = dialect.time_column, COLUMN_OF_KIND[kind]
    lines = [
        TABLE,
        *time_lines(window, dialect),
        f"| where {asks_for(files)} and {IS_ENDPOINT}",
        *_part_lines(part),
        f"| summarize FirstSeen=min({time}), LastSeen=max({time}), Events=count(),",
        f"            ActiveHours=dcount(bin({time}, 1h)),",
        f"            Devices={_count_of_devices(dialect)},",
        ",\n".join(
            f"            {evidence.name}=make_set({dialect.column(evidence.column)}, {evidence.limit})"
            for evidence in EVIDENCE
        ),
        f"         by Day=bin({time}, 1d), File={_identity(files, column)}, IP=RemoteIP, DNS=RemoteUrl",
    ]
    names = tuple(dict.fromkeys(file.key for file in files)) if kind is FileKind.NAME else None
    sets = tuple((evidence.name, evidence.limit) for evidence in EVIDENCE)
    return Query("\n".join(lines), COLUMNS, names, sets)


def split_by_kind(files: Sequence[AskedFile]) -> tuple[tuple[AskedFile, ...], ...]:
    groups = (tuple(file for file in files if file.kind is kind) for kind in FileKind)
    return tuple(group for group in groups if group)


def time_lines(window: Window, dialect: Dialect) -> list[str]:
    bounds = []
    if window.since is not None:
        bounds.append(f"{dialect.time_column} >= {_datetime(window.since)}")
    if window.until is not None:
        bounds.append(f"{dialect.time_column} < {_datetime(window.until)}")
    return [f"| where {' and '.join(bounds)}"] if bounds else []


def asks_for(files: Sequence[AskedFile]) -> str:
    """The condition that a row is of one of these files, which are of one kind."""
    texts = dict.fromkeys(quote(file.text) for file in files)
    return f"{COLUMN_OF_KIND[_one_kind(files)]} in~ ({', '.join(texts)})"


def _one_kind(files: Sequence[AskedFile]) -> FileKind:
    kinds = {file.kind for file in files}
    if len(kinds) != 1:
        raise ValueError("A query asks for at least one file, and for files of one kind only.")
    return kinds.pop()


def _identity(files: Sequence[AskedFile], column: str) -> str:
    # tolower() folds more than ASCII letters, so where one asked name has others, names are grouped
    # as recorded and folded on arrival.
    return f"tolower({column})" if all(file.key.isascii() for file in files) else column


def _count_of_devices(dialect: Dialect) -> str:
    column = dialect.column("DeviceId")
    # An empty string is a value to dcount, but not a device.
    return f"dcountif({column}, isnotempty({column}))"


def _part_lines(part: str) -> list[str]:
    if not _PART.fullmatch(part):
        raise ValueError("A part is named by the first digits of an MD5 in lower case.")
    return [f'| where hash_md5(strcat(RemoteIP, "|", RemoteUrl)) startswith "{part}"'] if part else []


def _datetime(moment: datetime) -> str:
    return f"datetime({moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z)"
