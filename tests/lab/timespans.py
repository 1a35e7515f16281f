"""The stretch of time beside a query: `P30D`, `start/end`, `start/duration`, `duration/end` or a start."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hunts.kql.window import Window

_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def parse_timespan(text: str | None, now: datetime) -> Window:
    """Raises ValueError."""
    if not text:
        return Window()
    first, slash, second = text.partition("/")
    if not slash:
        duration = _duration(first)
        return Window(_moment(first)) if duration is None else Window(now - duration, now)
    begins, ends = _duration(first), _duration(second)
    if begins is not None:
        return Window(_moment(second) - begins, _moment(second))
    since = _moment(first)
    return Window(since, since + ends if ends is not None else _moment(second))


def _duration(text: str) -> timedelta | None:
    found = _DURATION.fullmatch(text)
    return timedelta(**{unit: float(n) for unit, n in found.groupdict("0").items()}) if found else None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
