"""Times as exports write them.

- ISO 8601 with zero to nine decimals, `Z`, an offset, or neither (then it is UTC);
- the Log Analytics portal: `7/1/2022, 5:42:37.879 AM` (month first);
- the Defender portal: `Jul 1, 2022 5:42:37 AM`.

Browsers put a narrow no-break space (U+202F) before AM and PM. Times are kept to the microsecond, which
is what DuckDB and Python can hold: a seventh decimal is dropped, not rounded.
"""

import re
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

_CLOCK = r"(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:\s*([AP])M)?"
_MONTH_FIRST = re.compile(rf"(\d{{1,2}})/(\d{{1,2}})/(\d{{4}}),?\s+{_CLOCK}", re.ASCII | re.IGNORECASE)
_MONTH_NAMED = re.compile(
    rf"([A-Za-z]{{3,9}})\.? (\d{{1,2}}), (\d{{4}}),?\s+{_CLOCK}", re.ASCII | re.IGNORECASE
)
_ODD_SPACES = str.maketrans({"\u202f": " ", "\u00a0": " "})
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_USUAL = re.compile(r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z\n)*", re.ASCII)
_ISO_SHORTEST = len("2022-07-01T05:42:37")


def read_time(text: str) -> datetime:
    """The time in UTC. Raises ValueError for anything that is no time."""
    if len(text) >= _ISO_SHORTEST and text[4] == "-" and text[10] in "T ":
        return _to_utc(datetime.fromisoformat(text))
    plain = text.translate(_ODD_SPACES).strip()
    if match := _MONTH_FIRST.fullmatch(plain):
        month, day, year, *clock = match.groups()
        return _from_parts(int(year), int(month), int(day), clock)
    if match := _MONTH_NAMED.fullmatch(plain):
        name, day, year, *clock = match.groups()
        return _from_parts(int(year), _month_number(name), int(day), clock)
    raise ValueError(f"{text[:60]!r} is no time")


def read_time_text(text: str) -> str:
    """read_time, written as DuckDB reads a TIMESTAMP; such texts sort like their times."""
    time = read_time(text)
    if time.tzinfo is UTC and text[10] == "T" and text[-1] == "Z" and text[19] in ".Z":
        # The usual case needs no more than cutting.
        return text[: min(26, len(text) - 1)]
    return time.isoformat(" ", "microseconds").removesuffix("+00:00")


def read_time_texts(texts: Sequence[str]) -> list[str]:
    """read_time_text of each, in a third of the time when all have the usual form."""
    if _USUAL.fullmatch("\n".join((*texts, ""))) is None:
        return list(map(read_time_text, texts))
    # Whether there is such a day and hour is all that is left to ask.
    deque(map(datetime.fromisoformat, texts), maxlen=0)
    return [text[: min(26, len(text) - 1)] for text in texts]


@lru_cache(maxsize=65_536)
def read_time_text_again(text: str) -> str:
    """For columns where the same text comes again and again, such as a process's start."""
    return read_time_text(text)


def _to_utc(time: datetime) -> datetime:
    if time.tzinfo is UTC:
        return time
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{time.isoformat()} lies outside the calendar in UTC") from error


def _month_number(name: str) -> int:
    short = name[:3].lower()
    if short not in _MONTHS:
        raise ValueError(f"{name!r} is no month")
    return _MONTHS.index(short) + 1


def _from_parts(year: int, month: int, day: int, clock: list[str | None]) -> datetime:
    hour_text, minute, second, decimals, half = clock
    hour = int(hour_text or "0")
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(f"there is no {hour} o'clock {half}M")
        hour = hour % 12 + (12 if half.upper() == "P" else 0)
    microsecond = int((decimals or "0")[:6].ljust(6, "0"))
    return datetime(year, month, day, hour, int(minute or "0"), int(second or "0"), microsecond, UTC)
