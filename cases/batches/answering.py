"""One step of a second person's answer to all proposals of a batch: approved, or rejected with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import F

from cases.batches.claims import Held, locked
from cases.batches.ending import CASE_IS_CLOSED, fail, go_on
from cases.batches.leaving import leave
from cases.batches.making import make_room, settle_subjects
from cases.batches.pace import Pace
from cases.batches.renewing import own_proposals_renewed
from cases.clock import database_now
from cases.decision_entries import note_ended, note_made, note_proposal_ended
from cases.explained import ruling_of
from cases.models import Batch, CaseValue, Decision, Proposal
from cases.proposal_queryset import ProposalQuerySet
from cases.proposals import why_not_for
from cases.verdicts.preview import preview_of_making
from cases.verdicts.settle import take_verdict_lock
from footprint.accounts.models import Person
from footprint.ledger.record import Actor, Change, change

_HOLDERS = """
    SELECT own.id, held.id
      FROM cases_decision own
      JOIN cases_decision held
        ON held.state = 'in force' AND held.subject = own.subject AND held.subject_kind = own.subject_kind
       AND held.scope = own.scope AND held.case_id IS NOT DISTINCT FROM own.case_id
       AND held.file_kind = own.file_kind AND held.file_key = own.file_key
     WHERE own.id = ANY(%s)
"""


def approve_step(held: Held, actor: Actor, pace: Pace) -> bool:
    """Puts in force what comes next, as far as it would still change what its proposer saw."""
    with change(actor=actor) as ledger:
        take_verdict_lock()
        at_most = pace.begin()
        batch = locked(held)
        if not batch.case.is_live:
            fail(ledger, batch, CASE_IS_CLOSED)
            return False
        coming = _next(batch, at_most)
        now = database_now()
        refused = _refused(coming, batch.asked_by, now)
        approved = [each for each in coming if each.pk not in refused]
        with own_proposals_renewed(
            ledger, batch, subjects_of(approved), answered={each.pk for each in approved}
        ):
            _approve(ledger, batch, approved, now)
        leave(batch, _left(coming, refused))
        return go_on(ledger, batch, position=coming[-1].decision_id if coming else None, done=len(coming))


def reject_step(held: Held, actor: Actor, pace: Pace) -> bool:
    """Rejects what comes next, with one reason."""
    with change(actor=actor) as ledger:
        take_verdict_lock()
        at_most = pace.begin()
        batch = locked(held)
        coming = _next(batch, at_most)
        now = database_now()
        refused = {each.pk: why for each in coming if (why := why_not_for(batch.asked_by, each))}
        rejected = [each for each in coming if each.pk not in refused]
        close_many(ledger, batch, rejected, Proposal.State.REJECTED, now)
        batch.rejected += len(rejected)
        leave(batch, _left(coming, refused))
        return go_on(ledger, batch, position=coming[-1].decision_id if coming else None, done=len(coming))


def waiting_of(batch: Batch) -> ProposalQuerySet:
    return Proposal.objects.waiting().filter(decision__batch=batch, kind=Proposal.Kind.MAKE)


def _next(batch: Batch, at_most: int) -> list[Proposal]:
    waiting = Proposal.objects.waiting().with_decision().select_for_update(of=("self",))
    of_batch = waiting.filter(decision__batch=batch, decision__gt=batch.position, kind=Proposal.Kind.MAKE)
    return list(of_batch.order_by("decision_id")[:at_most])


def _refused(proposals: Sequence[Proposal], person: Person, now: datetime) -> dict[int, str]:
    """Why the person cannot approve, by the proposal's id."""
    previews = preview_of_making([ruling_of(each.decision) for each in proposals]) if proposals else []
    refused = {}
    for each, preview in zip(proposals, previews, strict=True):
        why = why_not_for(person, each)
        if not why and each.decision.is_past(now):
            why = "the proposed expiry is over"
        if not why and preview.is_old:
            why = "what it covers is still being settled"
        if not why and preview.digest != each.digest:
            why = "it would change something else by now; look at it alone"
        if why:
            refused[each.pk] = why
    return refused


def _approve(ledger: Change, batch: Batch, proposals: Sequence[Proposal], now: datetime) -> None:
    if not proposals:
        return
    decisions = [each.decision for each in proposals]
    holder_of = _holders([each.pk for each in decisions])
    holders = Decision.objects.in_bulk(list(holder_of.values()))
    superseded = make_room(ledger, batch, holders, batch.asked_by, now)
    verdicts = verdicts_of(batch, decisions)
    for each in decisions:
        each.state, each.approver, each.made_at = Decision.State.IN_FORCE, batch.asked_by, now
        each.version += 1
        each.supersedes = superseded.get(holder_of.get(each.pk, 0))
    Decision.objects.filter(pk__in=[each.pk for each in decisions]).update(
        state=Decision.State.IN_FORCE, approver=batch.asked_by, made_at=now, version=F("version") + 1
    )
    Decision.objects.bulk_update([each for each in decisions if each.supersedes], ["supersedes"])
    _end(proposals, Proposal.State.APPROVED, batch.asked_by, "", now)
    settle_subjects(batch, subjects_of(proposals))
    for each in decisions:
        if each.supersedes is not None:
            note_ended(ledger, each.supersedes, reason=each.reason, superseded_by=each.pk, batch=batch.pk)
        note_made(ledger, each, verdict_before=verdicts.get(each.subject, ""), batch=batch.pk)
    batch.approved += len(decisions)


def _holders(ids: Sequence[int]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [list(ids)])
        return dict(cursor.fetchall())


def subjects_of(proposals: Sequence[Proposal]) -> list[tuple[str, str]]:
    return [(each.decision.subject_kind, each.decision.subject) for each in proposals]


def verdicts_of(batch: Batch, decisions: Sequence[Decision]) -> Mapping[str, str]:
    values = CaseValue.objects.filter(case=batch.case_id, value__in=[each.subject for each in decisions])
    return dict(values.values_list("value", "verdict"))


def close_many(
    ledger: Change, batch: Batch, proposals: Sequence[Proposal], state: Proposal.State, now: datetime
) -> None:
    """Ends proposals that are not approved, and their decisions with them."""
    taken_back = state == Proposal.State.TAKEN_BACK
    ended_as = Decision.State.WITHDRAWN if taken_back else Decision.State.REJECTED
    because = batch.task_reason or ("Taken back" if taken_back else "Rejected")
    by = batch.asked_by
    Decision.objects.filter(pk__in=[each.decision_id for each in proposals]).update(
        state=ended_as, ended_at=now, ended_by=by, version=F("version") + 1
    )
    _end(proposals, state, by, because, now)
    for each in proposals:
        each.decision.state, each.decision.ended_at, each.decision.ended_by = ended_as, now, by
        note_proposal_ended(ledger, each, reason=because, batch=batch.pk)


def _end(
    proposals: Sequence[Proposal], state: Proposal.State, by: Person, because: str, now: datetime
) -> None:
    Proposal.objects.filter(pk__in=[each.pk for each in proposals]).update(
        state=state, ended_at=now, ended_by=by, ended_because=because
    )
    for each in proposals:
        each.state, each.ended_at, each.ended_by, each.ended_because = state, now, by, because


def _left(
    proposals: Sequence[Proposal], refused: Mapping[int, str]
) -> list[tuple[str, str, Decision | None]]:
    return [
        (each.decision.subject, refused[each.pk], each.decision) for each in proposals if each.pk in refused
    ]
