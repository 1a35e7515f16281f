"""What a row of the queue says of the blocks on its value."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from cases.models import Case, CaseValue
from cases.views.marks import Mark, Rank
from cases.watchlists.after_block import WORDS, Effect, effects_of

_NOWHERE = Mark(
    Rank.UNENFORCED,
    "tag",
    "blocked here, enforced nowhere",
    "No target has accepted it and no feed that has it was fetched.",
)


def marks_of_blocks(case: Case, values: Sequence[CaseValue]) -> dict[str, list[Mark]]:
    """At most one query."""
    blocked = [value.value for value in values if value.blocked]
    if not blocked:
        return {}
    effects = effects_of(case, blocked)
    return {value: [mark] for value, effect in effects.items() if (mark := _mark(effect)) is not None}


def _mark(effect: Effect) -> Mark | None:
    if effect.effective_at is None:
        return _NOWHERE
    if not effect.is_held:
        had = f"{effect.by} had it first; no target and no feed has it any more."
        return Mark(_NOWHERE.rank, _NOWHERE.css, _NOWHERE.words, had)
    if effect.seen_at is not None:
        told = f"Enforced by {effect.by}. {WORDS}"
        return Mark(Rank.ALARM, "tag tag-alarm", "seen after block", told)
    if effect.effective_at > timezone.now():
        return Mark(Rank.UNENFORCED, "tag tag-wait", "not enforced yet", f"{effect.by} has accepted it.")
    return None
