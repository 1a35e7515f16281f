"""Icons by our nouns, and the small shapes that carry a verdict or a state.

The shapes differ, so that nobody needs the colour to tell them apart.
"""

from __future__ import annotations

from functools import cache

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

# Our word -> the name in heroicons.
ICONS = {
    "account": "user-circle",
    "allow": "check",
    "case": "folder",
    "cases": "folder",
    "close": "x-mark",
    "copy": "document-duplicate",
    "decisions": "scale",
    "device": "computer-desktop",
    "done": "check-circle",
    "down": "arrow-down",
    "download": "arrow-down-tray",
    "error": "exclamation-circle",
    "fact": "square-3-stack-3d",
    "file": "document",
    "filter": "funnel",
    "fold": "chevron-right",
    "info": "information-circle",
    "hunts": "arrow-path",
    "inbox": "inbox",
    "ledger": "link",
    "new": "plus",
    "open": "arrow-top-right-on-square",
    "more": "ellipsis-horizontal",
    "people": "users",
    "person": "user",
    "refresh": "arrow-path",
    "run": "play",
    "search": "magnifying-glass",
    "share": "share",
    "sign-out": "arrow-right-start-on-rectangle",
    "sources": "circle-stack",
    "time": "clock",
    "undo": "arrow-uturn-left",
    "unfolded": "chevron-down",
    "up": "arrow-up",
    "warn": "exclamation-triangle",
    "watchlists": "queue-list",
}

_DISC = '<circle cx="8" cy="8" r="7" fill="currentColor"/>'
_TICK = '<path d="m4.9 8.2 2.2 2.2 4-4.6" fill="none" stroke="var(--surface)" stroke-width="1.8"/>'
_OCTAGON = '<path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" fill="currentColor"/>'
_BAR = '<path d="M4.4 8h7.2" stroke="var(--surface)" stroke-width="2.2"/>'
_RING = '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5"/>'
_DASHED = _RING.replace("/>", ' stroke-dasharray="2.6 2.1"/>')
_BOX = (
    '<rect x="3.5" y="3.5" width="9" height="9" rx="1" fill="none" stroke="currentColor" stroke-width="1.5"/>'
)

GLYPHS = {
    "allowed": _DISC + _TICK,
    "blocked": _OCTAGON + _BAR,
    "undecided": _DASHED,
    "proposed": _RING + '<path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor"/>',
    "complete": '<rect x="3" y="3" width="10" height="10" rx="1" fill="currentColor"/>',
    "partial": _BOX + '<path d="M12.5 3.5v9h-9z" fill="currentColor"/>',
    "failed": '<path d="m4 4 8 8m0-8-8 8" stroke="currentColor" stroke-width="1.8"/>',
    "running": '<path d="M2.5 8a5.5 5.5 0 0 0 11 0" fill="none" stroke="currentColor" stroke-width="1.8"/>',
    "waits": _DASHED,
    "cancelled": _BOX + '<path d="M5 8h6" stroke="currentColor" stroke-width="1.5"/>',
    "empty": _BOX,
}

# The words of verdicts, runs, slices and days -> (shape, class).
SHAPES = {
    "allowed": ("allowed", "is-allowed"),
    "blocked": ("blocked", "is-blocked"),
    "undecided": ("undecided", "is-undecided"),
    "proposed": ("proposed", "is-proposed"),
    "complete": ("complete", "is-complete"),
    "done": ("complete", "is-complete"),
    "covered": ("complete", "is-complete"),
    "partial": ("partial", "is-partial"),
    "split": ("empty", "is-off"),
    "failed": ("failed", "is-failed"),
    "owed": ("failed", "is-failed"),
    "running": ("running", "is-running"),
    "asking": ("running", "is-running"),
    "queued": ("waits", "is-waiting"),
    "waiting": ("waits", "is-waiting"),
    "cancelled": ("cancelled", "is-cancelled"),
    "no telemetry": ("empty", "is-off"),
    "out of retention": ("empty", "is-off"),
}


@cache
def glyph(word: str) -> SafeString:
    shape, _ = SHAPES[word]
    return format_html(
        '<svg class="glyph" width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">{}</svg>',
        mark_safe(GLYPHS[shape]),  # noqa: S308  # a constant of this module
    )


def with_glyph(kind: str, word: str, said: str = "", who: str = "") -> SafeString:
    """Shape and word together; `kind` is the class, verdict or state, `said` replaces the word shown."""
    behind = f' <span class="who">{escape(who)}</span>' if who else ""
    said_of_it = escape(said) if said else word
    return mark_safe(f"{_before_words(kind, word)}{said_of_it}{behind}</span>")  # noqa: S308  # escaped here


@cache
def _before_words(kind: str, word: str) -> str:
    _, css = SHAPES[word]
    return f'<span class="{kind} {css}">{glyph(word)} '
