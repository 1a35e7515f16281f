"""Thirty UTC days of one value as a small drawing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from functools import cache

from django.utils.safestring import SafeString, mark_safe

DAYS = 30
_STEP = 4
_HIGH = 20
_FLAT = tuple(f"M{index * _STEP} 19.5h{_STEP}" for index in range(DAYS))


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
    events = _by_place(strip, strip_to, today)
    uncovered = {place for day in gaps if 0 <= (place := _place(day, today)) < DAYS and not events[place]}
    fresh = DAYS if fresh_from is None else _place(fresh_from, today)
    top, seen = max(events), DAYS - events.count(0)
    label = f"Seen on {seen} of {DAYS} days" + (f", {len(uncovered)} not covered" if uncovered else "")
    quiet, gap, old, new = list[str](), list[str](), list[str](), list[str]()
    for place, count in enumerate(events):
        if count:
            (new if place >= fresh else old).append(_bar(place, max(2, round(count / top * (_HIGH - 1)))))
        else:
            (gap if place in uncovered else quiet).append(_FLAT[place])
    kinds = (("quiet", quiet), ("gap", gap), ("bar", old), ("bar is-fresh", new))
    paths = "".join(f'<path class="{css}" d="{"".join(drawn)}"/>' for css, drawn in kinds if drawn)
    return mark_safe(  # noqa: S308  # numbers and words of this module
        f'<svg class="spark" role="img" aria-label="{label}" viewBox="0 0 120 20">'
        f"<title>{label}</title>{paths}</svg>"
    )


def _place(day: date, today: date) -> int:
    """0 for the first of the thirty days, 29 for today."""
    return DAYS - 1 - (today - day).days


def _by_place(strip: Sequence[int], strip_to: date | None, today: date) -> list[int]:
    if strip_to is None:
        return [0] * DAYS
    end = _place(strip_to, today) + 1
    padded = [*([0] * DAYS), *strip]
    # So many days before the end as the drawing has; what lies after today falls off.
    upto = padded if end <= DAYS else padded[: len(padded) - (end - DAYS)]
    shown = upto[-min(end, DAYS) :] if end > 0 else []
    return [*shown[-DAYS:], *([0] * (DAYS - len(shown)))]


@cache
def _bar(place: int, height: int) -> str:
    return f"M{place * _STEP} {_HIGH}v-{height}h3v{height}z"
