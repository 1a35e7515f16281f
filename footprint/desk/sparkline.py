"""Thirty UTC days of one value as a small drawing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from django.utils.safestring import SafeString, mark_safe

DAYS = 30
_STEP = 4
_HIGH = 20
_FLAT = tuple(f"M{index * _STEP} 19.5h{_STEP}" for index in range(DAYS))


@dataclass(frozen=True, slots=True)
class ThirtyDays:
    """The days of a drawing. A bar is a day with events, in another colour from the place `fresh` on."""

    today: date
    fresh: int
    # Places of days that are not covered.
    gaps: frozenset[int]

    @classmethod
    def to(cls, today: date, fresh_from: date | None, gaps: Collection[date]) -> ThirtyDays:
        places = (_place(day, today) for day in gaps)
        return cls(
            today,
            DAYS if fresh_from is None else _place(fresh_from, today),
            frozenset(place for place in places if 0 <= place < DAYS),
        )

    def drawn(self, strip: Sequence[int], strip_to: date | None) -> SafeString:
        """`strip` holds the events per day, oldest first, ending on `strip_to`; the drawing ends today.

        One path per kind of day, because a page holds fifty of these.
        """
        events = _by_place(strip, strip_to, self.today)
        top = max(events)
        quiet, gap, old, new = list[str](), list[str](), list[str](), list[str]()
        for place, count in enumerate(events):
            if count:
                height = max(2, round(count / top * (_HIGH - 1)))
                (new if place >= self.fresh else old).append(_bar(place, height))
            else:
                (gap if place in self.gaps else quiet).append(_FLAT[place])
        seen = len(old) + len(new)
        label = f"Seen on {seen} of {DAYS} days" + (f", {len(gap)} not covered" if gap else "")
        kinds = (("quiet", quiet), ("gap", gap), ("bar", old), ("bar is-fresh", new))
        paths = "".join(f'<path class="{css}" d="{"".join(drawn)}"/>' for css, drawn in kinds if drawn)
        return mark_safe(  # noqa: S308  # numbers and words of this module
            f'<svg class="spark" role="img" aria-label="{label}" viewBox="0 0 120 20">'
            f"<title>{label}</title>{paths}</svg>"
        )


def sparkline(
    strip: Sequence[int],
    strip_to: date | None,
    *,
    today: date,
    fresh_from: date | None = None,
    gaps: Collection[date] = (),
) -> SafeString:
    """One drawing by itself."""
    return ThirtyDays.to(today, fresh_from, gaps).drawn(strip, strip_to)


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
