"""When a hunt is asked again, and how far each asking looks back. Pure: no database, no clock of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

MOST_HOURS = 168
MOST_DAYS = 90
LONGEST_CRON = 100
LEAST_PAUSE = timedelta(minutes=15)
# Hunts of the same time start up to so much later each, so that a source is not asked all at once.
MOST_JITTER = timedelta(minutes=10)

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
# The longest pause between two askings -> how far each looks back.
_OVERLAPS = ((1, 4), (3, 12), (12, 48), (24, 720))
_TIMES_LOOKED_AT = 60


class Rhythm(StrEnum):
    HOURS = "hours"
    DAYS = "days"
    CRON = "cron"


class BadSchedule(ValueError):
    """A schedule that cannot be kept. `field` is what is wrong; the message is for who typed it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True)
class Schedule:
    """Every so many hours of UTC, counted from midnight 1 January 1970; or every so many days at a time
    of day in a zone, counted from `starts_on`; or a cron expression in a zone.

    A time of day that a change of the clock leaves out is an hour later that day; one that comes twice
    counts once, the first time.
    """

    rhythm: Rhythm
    every: int = 1
    at: time = time(6)
    time_zone: str = "UTC"
    cron: str = ""
    starts_on: date = date(1970, 1, 1)

    def __post_init__(self) -> None:
        most = MOST_HOURS if self.rhythm is Rhythm.HOURS else MOST_DAYS
        if self.rhythm is not Rhythm.CRON and not 1 <= self.every <= most:
            raise BadSchedule("every", f"Give 1 to {most} {self.rhythm.value}.")
        if self.rhythm is Rhythm.CRON:
            self._check_cron()

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The times later than `moment`, in UTC, in order."""
        match self.rhythm:
            case Rhythm.HOURS:
                return self._hours_after(moment)
            case Rhythm.DAYS:
                return self._days_after(moment)
            case Rhythm.CRON:
                return self._cron_after(moment)

    def next_after(self, moment: datetime) -> datetime:
        return next(self.after(moment))

    def latest_of(self, slot: datetime, now: datetime) -> datetime:
        """The last time up to `now`, from `slot` on: what downtime left is one asking."""
        # A schedule that has stood still for months is not counted through.
        slot = max(slot, self.next_after(max(slot, now - self.longest_pause - _DAY) - timedelta(seconds=1)))
        for later in self.after(slot):
            if later > now:
                break
            slot = later
        return min(slot, now)

    @cached_property
    def longest_pause(self) -> timedelta:
        """Between two askings. Of a cron expression: among the next of its times."""
        match self.rhythm:
            case Rhythm.HOURS:
                return self.every * _HOUR
            case Rhythm.DAYS:
                return self.every * _DAY
            case Rhythm.CRON:
                return max(self._cron_pauses(_EPOCH), default=_DAY)

    @property
    def overlap_hours(self) -> int:
        """How far each asking looks back: what arrives late, or was missed, is found again."""
        pause = self.longest_pause / _HOUR
        found = next((overlap for most, overlap in _OVERLAPS if pause <= most), None)
        return found or max(_OVERLAPS[-1][1], int(pause) + 24)

    @property
    def words(self) -> str:
        """ "every 3 hours", "every day at 06:00 (Europe/Berlin)", "At 06:00 on Monday (UTC)"."""
        match self.rhythm:
            case Rhythm.HOURS:
                return "every hour" if self.every == 1 else f"every {self.every} hours"
            case Rhythm.DAYS:
                how_often = "every day" if self.every == 1 else f"every {self.every} days"
                return f"{how_often} at {self.at:%H:%M} ({self.time_zone})"
            case Rhythm.CRON:
                said = CronSim(self.cron, _EPOCH).explain()
                return f"{said[0].lower()}{said[1:]} ({self.time_zone})"

    def _hours_after(self, moment: datetime) -> Iterator[datetime]:
        step = self.every * _HOUR
        slot = _EPOCH + (moment.astimezone(UTC) - _EPOCH) // step * step
        while True:
            slot += step
            yield slot

    def _days_after(self, moment: datetime) -> Iterator[datetime]:
        # From two days before: a time of day can fall on another day in UTC.
        passed = (moment.astimezone(self.zone).date() - self.starts_on).days - 2
        day = self.starts_on + max(0, -(-passed // self.every)) * self.every * _DAY
        while True:
            # `fold=0` takes the first of two, and lands after a gap for one that does not exist.
            slot = datetime.combine(day, self.at, tzinfo=self.zone).astimezone(UTC)
            # Where a zone leaves out a whole day, two days come to the same moment.
            if slot > moment:
                yield slot
                moment = slot
            day += self.every * _DAY

    def _cron_after(self, moment: datetime) -> Iterator[datetime]:
        for slot in CronSim(self.cron, moment.astimezone(self.zone)):
            utc = slot.astimezone(UTC)
            if utc > moment:
                yield utc

    def _check_cron(self) -> None:
        if len(self.cron) > LONGEST_CRON:
            raise BadSchedule("cron", f"An expression has at most {LONGEST_CRON} characters.")
        if len(self.cron.split()) != 5:
            raise BadSchedule(
                "cron", "Give five fields: minute, hour, day of the month, month, day of the week."
            )
        try:
            pauses = self._cron_pauses(_EPOCH)
        except CronSimError as error:
            raise BadSchedule("cron", f"This cannot be read as cron: {str(error).lower()}.") from error
        if not pauses:
            raise BadSchedule("cron", "This time never comes.")
        if min(pauses) < LEAST_PAUSE:
            raise BadSchedule("cron", f"A hunt is asked every {LEAST_PAUSE.seconds // 60} minutes at most.")

    def _cron_pauses(self, moment: datetime) -> list[timedelta]:
        times = list(islice(self._cron_after(moment), _TIMES_LOOKED_AT))
        return [later - earlier for earlier, later in pairwise(times)]


def jitter_of(hunt_id: int, schedule: Schedule) -> timedelta:
    """How much later than its times this hunt starts: always the same, a tenth of its pause at most."""
    most = min(MOST_JITTER, schedule.longest_pause / 10)
    digest = hashlib.sha256(f"hunt {hunt_id}".encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8], "big") % (int(most.total_seconds()) + 1))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
