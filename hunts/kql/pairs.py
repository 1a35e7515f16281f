"""The rows of many days, folded to what the seed query tells: distinct (IP, DNS) pairs, per file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from hunts.kql.footprint import CAPS
from hunts.kql.rows import Row

# From an IP and a DNS name as recorded to the two as shown; None when nothing is left to show.
Spelling = Callable[[str, str], tuple[str, str] | None]


@dataclass
class Pair:
    file: str
    ip: str
    dns: str
    first_seen: datetime
    last_seen: datetime
    events: int = 0
    devices: int = 0
    hours: dict[date, int] = field(default_factory=dict)
    # The evidence of the rows, one value more than the cap at most, which says that there are more.
    sets: dict[str, set[Any]] = field(default_factory=lambda: {name: set() for name in CAPS})

    @property
    def days(self) -> int:
        return len(self.hours)

    @property
    def active_hours(self) -> int:
        return sum(self.hours.values())

    def add(self, row: Row) -> None:
        self.first_seen = min(self.first_seen, row.first_seen)
        self.last_seen = max(self.last_seen, row.last_seen)
        self.events += row.events
        # Rows of one day that fold together may share hours and devices, and days share devices:
        # the greatest of the counts is what there is at least.
        self.hours[row.day] = max(self.hours.get(row.day, 0), row.active_hours)
        for name, values in self.sets.items():
            self.sets[name] = set(sorted(values.union(getattr(row, name)))[: CAPS[name] + 1])
        self.devices = max(self.devices, row.devices, len(self.sets["device_names"]))


def as_recorded(ip: str, dns: str) -> tuple[str, str]:
    return ip, dns


def distinct(rows: Iterable[Row], spelling: Spelling) -> list[tuple[str, str]]:
    """The IP and DNS name of all files together, sorted."""
    return sorted({spelled for row in rows if (spelled := spelling(row.ip, row.dns)) is not None})


def fold(rows: Iterable[Row], spelling: Spelling) -> list[Pair]:
    """Sorted by file, IP and DNS name."""
    pairs: dict[tuple[str, str, str], Pair] = {}
    for row in rows:
        spelled = spelling(row.ip, row.dns)
        if spelled is None:
            continue
        key = (row.file, *spelled)
        if key not in pairs:
            pairs[key] = Pair(*key, row.first_seen, row.last_seen)
        pairs[key].add(row)
    return [pairs[key] for key in sorted(pairs)]
