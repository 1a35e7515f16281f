"""Small drawings that templates and the rows of the queue have in common."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cache

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from heroicons.templatetags.heroicons import heroicon_outline

from footprint.desk import glyphs, shown, times


@cache
def icon(name: str, size: int = 16) -> SafeString:
    """An icon by our own noun (glyphs.ICONS). Decoration: the words stand beside it or in aria-label."""
    drawn = heroicon_outline(glyphs.ICONS[name], size=size, stroke_width="1.8", aria_hidden="true")
    return mark_safe(drawn)  # noqa: S308  # made of words of ours


def number(value: int | None) -> str:
    """1,234. Unknown stays empty, zero is 0."""
    if value is None:
        return ""
    # A page shows hundreds; asking the language each time for its comma takes many times as long.
    return f"{value:,}" if type(value) is int else str(intcomma(value))


def at_least(value: int | None, more: bool) -> str:
    """25+ where the set behind the number was cut."""
    return f"{number(value)}+" if more and value is not None else number(value)


def count(value: int, one: str, many: str = "") -> str:
    """ "1 value", "3,180 values"."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


@dataclass(frozen=True, slots=True)
class Clock:
    """Now, and the reader's zone: found out once for all times of a list."""

    at: datetime
    zone: tzinfo

    @classmethod
    def now(cls) -> Clock:
        return cls(timezone.now(), timezone.get_current_timezone())

    @property
    def today(self) -> date:
        return self.at.date()

    def when(self, moment: datetime | None) -> SafeString:
        """ "6 min" or "23 Nov 18:04" in the reader's zone; the exact time and UTC in the title."""
        if moment is None:
            return SafeString("")
        local = in_readers_zone(moment, self.zone)
        return _time(moment, local, times.short_time(local, self.at))


def when(moment: datetime | None) -> SafeString:
    return Clock.now().when(moment)


def in_readers_zone(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """The last hours that a date can have are another year in some zones: they stay as they are."""
    try:
        return timezone.localtime(moment, zone)
    except OverflowError:
        return moment


def time(value: datetime, text: str) -> SafeString:
    return _time(value, in_readers_zone(value), text)


def _time(value: datetime, local: datetime, text: str) -> SafeString:
    utc = value.astimezone(UTC)
    title = f"{times.exact_time(local)}, {times.exact_time(utc)} UTC"
    machine = f"{utc.isoformat(timespec='seconds')[:19]}Z"
    return mark_safe(  # noqa: S308  # escaped, or made of numbers
        f'<time datetime="{machine}" title="{title}">{escaped(text)}</time>'
    )


def escaped(text: object) -> str:
    """As Django's escape, which looks at every text whether it is lazy: too long for hundreds on a page."""
    return html.escape(text if isinstance(text, str) else str(text))


def value_cut(value: str) -> SafeString:
    """A value in a row: the subdomain gives way first, the registered domain is never cut."""
    parts = shown.shown_value(value)
    before = f'<span class="pre">{escaped(parts.before)}</span>' if parts.before else ""
    css = "dom is-long" if parts.is_long else "dom"
    return mark_safe(  # noqa: S308  # escaped
        f'<bdi class="val mono" title="{escaped(parts.full)}">{before}'
        f'<span class="{css}">{escaped(parts.domain)}</span></bdi>'
    )
