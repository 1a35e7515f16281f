"""Where a decision stands on watchlists."""

from __future__ import annotations

from dataclasses import dataclass

from cases.models import Decision
from cases.watchlists.models import Conflict, PublishedEntry, Watchlist
from cases.watchlists.querysets import decisions_of


@dataclass(frozen=True, slots=True)
class Listed:
    """`added_in` is the version that brought it; without one it waits for the next. A conflict says more."""

    watchlist: Watchlist
    added_in: int | None
    removed_in: int | None
    waits: bool
    conflict: Conflict | None


def lists_with(decision: Decision) -> list[Listed]:
    """The lists whose rule takes the decision, and those that had it. Each list is a rule of its own, so two
    questions a list."""
    conflicts = {each.watchlist_id: each for each in Conflict.objects.filter(decision=decision)}
    found = (_listed(each, decision, conflicts.get(each.pk)) for each in Watchlist.objects.all())
    return [each for each in found if each is not None]


def _listed(watchlist: Watchlist, decision: Decision, conflict: Conflict | None) -> Listed | None:
    entry = (
        PublishedEntry.objects.filter(
            watchlist=watchlist,
            kind=decision.subject_kind,
            value=decision.subject,
            decision_number=decision.pk,
        )
        .order_by("-added_in")
        .first()
    )
    is_taken = decisions_of(watchlist).filter(pk=decision.pk).exists()
    if entry is None and not is_taken and conflict is None:
        return None
    return Listed(
        watchlist,
        entry.added_in if entry else None,
        entry.removed_in if entry else None,
        is_taken and entry is None and conflict is None,
        conflict,
    )
