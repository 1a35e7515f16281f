"""The stretch of time a question is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """From `since` up to but not including `until`, both in UTC. None is unbounded."""

    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for bound in (self.since, self.until):
            if bound is not None and bound.utcoffset() != timedelta(0):
                raise ValueError("The bounds of a window are datetimes in UTC.")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError("A window ends after it begins.")

    @classmethod
    def days(cls, first: date, last: date) -> Window:
        """Whole UTC days, both included."""
        # The day after the last day of the calendar does not exist; nothing is later either.
        until = None if last == date.max else midnight(last + ONE_DAY)
        return cls(midnight(first), until)

    @property
    def first_day(self) -> date | None:
        return None if self.since is None else self.since.date()

    @property
    def last_day(self) -> date | None:
        """The last UTC day the window touches."""
        return None if self.until is None else (self.until - timedelta(microseconds=1)).date()

    def each_day(self) -> Iterator[date]:
        """Every UTC day the window touches, oldest first. The window must be bounded."""
        if self.first_day is None or self.last_day is None:
            raise ValueError("A window without bounds has no list of days.")
        for offset in range((self.last_day - self.first_day).days + 1):
            yield self.first_day + timedelta(days=offset)

    def clip(self, other: Window) -> Window:
        """The part that both windows cover. They must overlap."""
        since = max((bound for bound in (self.since, other.since) if bound is not None), default=None)
        until = min((bound for bound in (self.until, other.until) if bound is not None), default=None)
        return Window(since, until)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
