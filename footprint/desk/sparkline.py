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
    One path per kind of day, because a page holds fifty of these.
    """
    events = _by_day(strip, strip_to)
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    top = max((events.get(day, 0) for day in days), default=0)
    seen = sum(1 for day in days if events.get(day, 0))
    uncovered = sum(1 for day in days if day in gaps and not events.get(day, 0))
    label = f"Seen on {seen} of {DAYS} days" + (f", {uncovered} not covered" if uncovered else "")
    drawn: dict[str, list[str]] = {"quiet": [], "gap": [], "bar": [], "bar is-fresh": []}
    for index, day in enumerate(days):
        if count := events.get(day, 0):
            is_fresh = fresh_from is not None and day >= fresh_from
            drawn["bar is-fresh" if is_fresh else "bar"].append(_bar(index, count, top))
        else:
            drawn["gap" if day in gaps else "quiet"].append(f"M{index * _STEP} 19.5h{_STEP}")
    paths = format_html_join(
        "", '<path class="{}" d="{}"/>', ((css, "".join(d)) for css, d in drawn.items() if d)
    )
    return format_html(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 120 20"><title>{}</title>{}</svg>',
        label,
        label,
        paths,
    )


def _by_day(strip: Sequence[int], strip_to: date | None) -> dict[date, int]:
    if strip_to is None:
        return {}
    first = strip_to - timedelta(days=len(strip) - 1)
    return {first + timedelta(days=index): count for index, count in enumerate(strip)}


def _bar(index: int, count: int, top: int) -> str:
    height = max(2, round(count / top * (_HIGH - 1)))
    return f"M{index * _STEP} {_HIGH}v-{height}h3v{height}z"
