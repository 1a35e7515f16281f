"""The rows of a source, one bar a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_STEP = 18
_BAR = 14
_HIGH = 48


def day_bars(rows: Sequence[int], last: date) -> SafeString:
    """Bars end on the UTC day `last`; a day without rows is a mark on the ground line."""
    days = [last - timedelta(days=back) for back in range(len(rows) - 1, -1, -1)]
    top = max(rows, default=0)
    label = _label(rows, days)
    bars = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        (
            (
                "bar" if count else "none",
                index * _STEP,
                _HIGH - _height(count, top),
                _BAR,
                _height(count, top),
                f"{_day(day)}: {count:,} rows",
            )
            for index, (day, count) in enumerate(zip(days, rows, strict=True))
        ),
    )
    return format_html(
        '<svg class="day-bars" role="img" aria-label="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">'
        "{}</svg>",
        label,
        len(rows) * _STEP - (_STEP - _BAR),
        _HIGH,
        bars,
    )


def _height(count: int, top: int) -> int:
    return max(2, round(count / top * _HIGH)) if count else 1


def _label(rows: Sequence[int], days: Sequence[date]) -> str:
    with_rows = sum(1 for count in rows if count)
    if not with_rows:
        return f"No rows on the last {len(rows)} days"
    most = max(range(len(rows)), key=lambda index: rows[index])
    return f"Rows on {with_rows} of the last {len(rows)} days, at most {rows[most]:,} on {_day(days[most])}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
