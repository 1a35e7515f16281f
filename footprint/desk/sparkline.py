"""Thirty UTC days of one value as a small drawing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

DAYS = 30
_STEP = 4
_HIGH = 20


def sparkline(
    strip: Sequence[int],
    strip_to: date | None,
    *,
    today: date,
    fresh_from: date | None = None,
    gaps: Collection[date] = (),
) -> SafeString:
    """`strip` holds the events per day, oldest first, ending on `strip_to`; the drawing ends today.

    A bar is a day with events, in another colour from `fresh_from` on; a day of `gaps` is not covered.
    """
    events = _by_day(strip, strip_to)
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    top = max((events.get(day, 0) for day in days), default=0)
    seen = sum(1 for day in days if events.get(day, 0))
    uncovered = sum(1 for day in days if day in gaps and not events.get(day, 0))
    label = f"Seen on {seen} of {DAYS} days" + (f", {uncovered} not covered" if uncovered else "")
    bars = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="3" height="{}"/>',
        (
            _bar(index, events[day], top, fresh=bool(fresh_from and day >= fresh_from))
            for index, day in enumerate(days)
            if events.get(day, 0)
        ),
    )
    lines = format_html_join(
        "",
        '<path class="{}" d="M{} 19.5h4"/>',
        (
            ("gap" if day in gaps else "quiet", index * _STEP)
            for index, day in enumerate(days)
            if not events.get(day, 0)
        ),
    )
    return format_html(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 120 20"><title>{}</title>{}{}</svg>',
        label,
        label,
        lines,
        bars,
    )


def _by_day(strip: Sequence[int], strip_to: date | None) -> dict[date, int]:
    if strip_to is None:
        return {}
    first = strip_to - timedelta(days=len(strip) - 1)
    return {first + timedelta(days=index): count for index, count in enumerate(strip)}


def _bar(index: int, count: int, top: int, *, fresh: bool) -> tuple[str, int, int, int]:
    height = max(2, round(count / top * (_HIGH - 1)))
    return ("bar is-fresh" if fresh else "bar", index * _STEP, _HIGH - height, height)
