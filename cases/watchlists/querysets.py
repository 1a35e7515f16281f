from __future__ import annotations

from collections.abc import Iterator

from cases.models import Decision
from cases.querysets import EXACT_KINDS, DecisionQuerySet
from cases.watchlists.formats import ListEntry
from cases.watchlists.models import Watchlist

_CHUNK = 2_000


def decisions_of(watchlist: Watchlist) -> DecisionQuerySet:
    """The decisions that the list is made of: in force, everywhere, with its verdict; in no order."""
    decisions = Decision.objects.in_force().everywhere()
    return decisions.filter(verdict=watchlist.verdict, subject_kind__in=EXACT_KINDS)


def entries_of(watchlist: Watchlist) -> Iterator[ListEntry]:
    """In the order of kind and value, always the same; a stream, however long the list is."""
    decisions = decisions_of(watchlist).order_by("subject_kind", "subject").select_related("proposer")
    return (list_entry(decision) for decision in decisions.iterator(chunk_size=_CHUNK))


def list_entry(decision: Decision) -> ListEntry:
    return ListEntry(
        kind=decision.subject_kind,
        value=decision.subject,
        verdict=decision.verdict,
        reason=decision.reason,
        decided_by=str(decision.proposer),
        decided_at=decision.made_at,
        expires_at=decision.expires_at,
        case=decision.made_in_id,
        decision=decision.pk,
    )
