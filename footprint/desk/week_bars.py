"""What came and what was decided on each day of a week, as two bars a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_STEP = 80
_BAR = 22
_HIGH = 96
_FOOT = 18
_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def week_bars(new: Sequence[int], decided: Sequence[int], first: date, until: date) -> SafeString:
    """Both rows begin on the Monday `first` and share one scale. Days after `until` have not come yet."""
    top = max(*new, *decided, 1)
    bars = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}</title></rect>',
        (
            (kind, x, _HIGH - height, _BAR, height, f"{_day(first, place)}: {count:,} {words}")
            for place in range(min(len(new), (until - first).days + 1))
            for kind, words, count, x in (
                ("new", "new", new[place], place * _STEP + 16),
                ("decided", "decided", decided[place], place * _STEP + 16 + _BAR + 4),
            )
            for height in (max(2, round(count / top * (_HIGH - 4))) if count else 1,)
        ),
    )
    names = format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="middle">{}</text>',
        ((place * _STEP + 16 + _BAR + 2, _HIGH + 14, name) for place, name in enumerate(_NAMES)),
    )
    return format_html(
        '<svg class="week-bars" role="img" aria-label="{}" viewBox="0 0 {} {}">'
        '<line x1="0" y1="{}" x2="{}" y2="{}"/>{}{}</svg>',
        f"By day: {_told(new, first, 'new')}; {_told(decided, first, 'decided')}",
        *(_STEP * len(new), _HIGH + _FOOT),
        *(_HIGH, _STEP * len(new), _HIGH),
        bars,
        names,
    )


def _told(counts: Sequence[int], first: date, words: str) -> str:
    if not any(counts):
        return f"none {words}"
    most = max(range(len(counts)), key=lambda place: counts[place])
    return f"{sum(counts):,} {words}, most on {_day(first, most)}"


def _day(first: date, place: int) -> str:
    day = first + timedelta(days=place)
    return f"{_NAMES[place]} {day.day} {day:%b}"
