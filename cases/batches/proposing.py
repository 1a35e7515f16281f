"""The values of a batch that need a second person become proposals of the same batch."""

from __future__ import annotations

from collections.abc import Sequence

from cases.batches.writing import ToMake, insert_decisions
from cases.decision_entries import note_proposed
from cases.explained import ruling_of
from cases.models import Batch, Decision, Proposal
from cases.verdicts.preview import preview_of_making
from footprint.ledger.record import Change


def propose_many(
    ledger: Change, batch: Batch, like: Decision, waiting: Sequence[tuple[str, str, Sequence[str]]]
) -> None:
    """Each value and its kind come with why one person is not enough."""
    if not waiting:
        return
    decisions = _save(like, [(value, kind) for value, kind, _ in waiting])
    previews = preview_of_making([ruling_of(decision) for decision in decisions])
    proposals = Proposal.objects.bulk_create(
        Proposal(
            decision=decision,
            kind=Proposal.Kind.MAKE,
            proposer=batch.person,
            proposed_at=like.made_at,
            reason=like.reason,
            why=list(why),
            judged_on=preview.as_kept(),
            digest=preview.digest,
        )
        for decision, (_, _, why), preview in zip(decisions, waiting, previews, strict=True)
    )
    for proposal in proposals:
        note_proposed(ledger, proposal, batch=batch.pk)
    batch.proposed += len(proposals)


def _save(like: Decision, values: Sequence[tuple[str, str]]) -> list[Decision]:
    in_force = like.state
    like.state, like.supersedes_id = Decision.State.PROPOSED, None
    made = insert_decisions(like, [ToMake(kind, value) for value, kind in values])
    like.state = in_force
    found = Decision.objects.select_related("made_in", "proposer").in_bulk(list(made.values()))
    return [found[made[kind, value]] for value, kind in values]
