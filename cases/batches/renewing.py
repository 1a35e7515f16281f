"""Proposals of a batch that its own steps would make stale, judged anew in the same step.

A name and its address are often values of one batch. Deciding or approving the one changes what the other
would change; that is no news to whoever answers the batch as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection

from cases.batches.ending import note
from cases.batches.making import reach_in_scope
from cases.explained import ruling_of
from cases.models import Batch, Proposal
from cases.settling import AT_ONCE, MOST_OF_EACH
from cases.verdicts.preview import Preview, preview_of_making
from footprint.ledger.events import Event
from footprint.ledger.record import Change

# An address that every program talks to may have as many names; past this they are answered one by one.
MOST_RENEWED = 2_000
RENEWED_BECAUSE = "Decided in this batch on the same endpoints."

# What a step reaches, as values and as addresses. More endpoints than this are settled after the step.
_TOUCHED = """
    SELECT count(*), array_agg(DISTINCT e.value), array_agg(DISTINCT e.ip) FILTER (WHERE e.ip IS NOT NULL)
      FROM ({reached} LIMIT %s) r JOIN cases_endpoint e ON e.id = r.id
"""


@contextmanager
def own_proposals_renewed(
    ledger: Change,
    batch: Batch,
    subjects: Sequence[tuple[str, str]],
    *,
    answered: Collection[int] = (),
) -> Iterator[None]:
    """Around what decides on `subjects` (kind, text): waiting proposals of the batch that were as their
    proposer saw them before are so after it. One that something else has moved stays as it is.
    """
    as_seen = _as_seen(batch, subjects, answered)
    yield
    moved = [
        (proposal, preview)
        for proposal, preview in zip(as_seen, _previews(as_seen), strict=True)
        if preview.digest != proposal.digest
    ]
    if not moved:
        return
    for proposal, preview in moved:
        proposal.judged_on, proposal.digest = preview.as_kept(), preview.digest
    Proposal.objects.bulk_update([proposal for proposal, _ in moved], ["judged_on", "digest"])
    renewed = {str(proposal.decision_id): proposal.digest for proposal, _ in moved}
    note(ledger, batch, Event.BATCH_PROPOSALS_RENEWED, RENEWED_BECAUSE, renewed=renewed)


def _as_seen(batch: Batch, subjects: Sequence[tuple[str, str]], answered: Collection[int]) -> list[Proposal]:
    if not subjects or batch.proposed == batch.approved + batch.rejected:
        return []
    touched = _touched(batch, subjects)
    waiting = Proposal.objects.waiting().filter(
        decision__batch=batch, decision__subject__in=touched, kind=Proposal.Kind.MAKE
    )
    found = list(
        waiting.exclude(pk__in=answered).select_related("decision").order_by("decision_id")[:MOST_RENEWED]
    )
    previews = _previews(found)
    return [each for each, preview in zip(found, previews, strict=True) if preview.digest == each.digest]


def _touched(batch: Batch, subjects: Sequence[tuple[str, str]]) -> list[str]:
    """The texts of all values and addresses that share an endpoint with one of the subjects."""
    reached = reach_in_scope(batch, subjects)
    at_once = max(AT_ONCE, MOST_OF_EACH * len(subjects))
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED.format(reached=reached.select), [*reached.parameters, at_once + 1])
        count, values, addresses = cursor.fetchone()
    if not count or count > at_once:
        return []
    return [*values, *map(str, addresses or [])]


def _previews(proposals: Sequence[Proposal]) -> list[Preview]:
    return preview_of_making([ruling_of(each.decision) for each in proposals]) if proposals else []
