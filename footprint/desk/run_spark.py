"""The last runs of a hunt as a small drawing: a bar for each, as high as it brought new values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from hunts.models import Run

_STEP = 6
_WIDTH = 120
_HIGH = 20
_LOW = 3
# What did not end complete differs in shape too: a bar from the top, and a dash for nothing at all.
_CSS = {"complete": "bar", "partial": "part", "failed": "gap", "cancelled": "quiet"}


def run_spark(runs: Sequence[Run]) -> SafeString:
    """`runs` have ended, oldest first; the youngest stands at the right. One alone compares with nothing."""
    runs = runs[-(_WIDTH // _STEP) :]
    if len(runs) < 2:
        return SafeString("")
    top = max((run.new_values for run in runs), default=0) or 1
    left = _WIDTH - _STEP * len(runs)
    drawn: dict[str, list[str]] = {}
    for place, run in enumerate(runs):
        drawn.setdefault(_CSS[run.state], []).append(_mark(run, left + place * _STEP, top))
    label = _label(runs)
    paths = format_html_join("", '<path class="{}" d="{}"/>', ((css, "".join(d)) for css, d in drawn.items()))
    return format_html(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 {} {}"><title>{}</title>{}</svg>',
        label,
        _WIDTH,
        _HIGH,
        label,
        paths,
    )


def _mark(run: Run, x: int, top: int) -> str:
    if _CSS[run.state] in ("gap", "quiet"):
        return f"M{x} 10h{_STEP - 1}"
    height = max(_LOW, round(run.new_values / top * _HIGH))
    if run.state == Run.State.PARTIAL:
        return f"M{x} 0v{height}h{_STEP - 1}v-{height}z"
    return f"M{x} {_HIGH}v-{height}h{_STEP - 1}v{height}z"


def _label(runs: Sequence[Run]) -> str:
    counted = Counter(run.state for run in runs)
    states = ", ".join(f"{counted[state]} {state}" for state in _CSS if counted[state])
    new = sum(run.new_values for run in runs)
    return f"Last {len(runs)} runs, oldest left: {states}; {new:,} new values"
