"""What every step that puts decisions in force or ends them does, inside its change and under the lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from cases.batches.writing import end_decisions
from cases.deciding import end_proposal
from cases.decision_entries import note_ended
from cases.models import Batch, Decision, Proposal
from cases.settling import resettle_exactly
from cases.verdicts.settle import Reached, reach_exactly
from footprint.accounts.models import Person
from footprint.ledger.record import Change


class _Scope(TypedDict):
    case_id: int | None
    file_kind: str
    file_key: str


def make_room(
    ledger: Change, batch: Batch, holders: Mapping[int, Decision], by: Person, at: datetime
) -> dict[int, Decision]:
    """Ends what holds the places of new decisions; returns those that were still in force, by id."""
    expired = [each for each in holders.values() if each.is_past(at)]
    gone = {each.pk for each in expired}
    superseded = {pk: each for pk, each in holders.items() if pk not in gone}
    end_many(ledger, expired, Decision.State.EXPIRED, None, at)
    for each in expired:
        note_ended(ledger, each, reason="Its time was over.", batch=batch.pk)
    end_many(ledger, superseded.values(), Decision.State.SUPERSEDED, by, at)
    batch.superseded += len(superseded)
    return superseded


def end_many(
    ledger: Change, decisions: Iterable[Decision], state: Decision.State, by: Person | None, at: datetime
) -> None:
    """As cases.deciding.end: a withdrawal that waits for somebody has nothing to wait for any more."""
    ended = list(decisions)
    if not ended:
        return
    end_decisions(ended, state, by, at)
    waiting = Proposal.objects.waiting().filter(decision__in=ended, kind=Proposal.Kind.WITHDRAW)
    for proposal in waiting.select_related("decision"):
        because = f"The decision is {state.label} already."
        end_proposal(ledger, proposal, Proposal.State.OVERTAKEN, by, because)


def settle_subjects(batch: Batch, subjects: Sequence[tuple[str, str]]) -> None:
    """Judges anew what exact subjects (kind, text) reach in the scope of the batch."""
    resettle_exactly(subjects, **_scope_of(batch))


def reach_in_scope(batch: Batch, subjects: Sequence[tuple[str, str]]) -> Reached:
    return reach_exactly(subjects, **_scope_of(batch))


def _scope_of(batch: Batch) -> _Scope:
    return {
        "case_id": batch.case_id if batch.scope == Decision.Scope.CASE else None,
        "file_kind": batch.file.kind if batch.file else "",
        "file_key": batch.file.key if batch.file else "",
    }
