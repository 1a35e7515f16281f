"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def short_time(moment: datetime, now: datetime) -> str:
    """ "6 min" under a day, then "23 Nov 18:04", with the year when it is another one.

    Both are aware; the words are in the zone of `moment`.
    """
    age = now - moment
    if timedelta(0) <= age < _MINUTE:
        return "just now"
    if timedelta(0) <= age < _HOUR:
        return f"{age // _MINUTE} min"
    if timedelta(0) <= age < _DAY:
        return f"{age // _HOUR} h"
    return f"{short_day(moment.date(), now.astimezone(moment.tzinfo).date())} {moment:%H:%M}"


def age(moment: datetime, now: datetime) -> str:
    """ "6 min ago", "2 days ago"; empty for what lies ahead."""
    passed = now - moment
    if passed < timedelta(0):
        return ""
    if passed < _MINUTE:
        return "just now"
    if passed < _HOUR:
        return f"{passed // _MINUTE} min ago"
    if passed < _DAY:
        return f"{passed // _HOUR} h ago"
    return f"{passed.days} {'day' if passed.days == 1 else 'days'} ago"


def until(moment: datetime, now: datetime) -> str:
    """ "in 6 days", "in 3 h", "in 6 min"; "now" for what is past."""
    left = moment - now
    if left < _MINUTE:
        return "now"
    if left < _HOUR:
        return f"in {left // _MINUTE} min"
    if left < _DAY:
        return f"in {left // _HOUR} h"
    return f"in {left.days} {'day' if left.days == 1 else 'days'}"


def short_day(day: date, today: date) -> str:
    year = "" if day.year == today.year else f" {day.year}"
    return f"{day.day} {day:%b}{year}"


def exact_time(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y %H:%M:%S}"


def lasting(passed: timedelta) -> str:
    """ "40 min", "5 h", "12 days": how long something took or waits."""
    if passed < _HOUR:
        return f"{max(passed // _MINUTE, 0)} min"
    if passed < 2 * _DAY:
        return f"{passed // _HOUR} h"
    return f"{passed.days:,} days"


def utc_minute(moment: datetime) -> str:
    """ "24 Nov 2026 14:02 UTC": for what leaves the house."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y %H:%M} UTC"


def length(seconds: float) -> str:
    """ "4.2 s", "51 s", "10 min", "2 h 14 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
