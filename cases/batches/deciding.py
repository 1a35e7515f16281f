"""One step of deciding: as many values as one transaction may take without others waiting for long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from cases.batches.claims import Held, locked
from cases.batches.ending import CASE_IS_CLOSED, fail, go_on
from cases.batches.leaving import leave
from cases.batches.sql import BASIS
from cases.batches.writing import ToMake, end_decisions, insert_decisions
from cases.deciding import new_decision
from cases.decision_entries import note_ended, note_made
from cases.models import Batch, Decision
from cases.refusals import CannotDecide
from cases.verdicts.settle import lock_reached_exactly, settle, take_verdict_lock
from cases.verdicts.subject import Subject
from footprint.ledger.record import Actor, Change, change

# The values that come next, as they are now, with who holds the (subject, scope) of the new decision.
_NEXT = f"""
    SELECT b.number, b.value, b.kind, b.basis, v.verdict, {BASIS} AS basis_now, held.id
      FROM cases_batchvalue b
      JOIN cases_casevalue v ON v.id = b.case_value_id
      LEFT JOIN cases_decision held
             ON held.state = 'in force' AND held.subject = b.value AND held.subject_kind = b.kind
            AND held.scope = %s AND held.case_id IS NOT DISTINCT FROM %s
            AND held.file_kind = %s AND held.file_key = %s
     WHERE b.batch_id = %s AND b.number > %s
     ORDER BY b.number LIMIT %s
"""  # noqa: S608  # constants of ours


@dataclass(frozen=True, slots=True)
class Next:
    number: int
    value: str
    kind: str
    basis: list[int]
    verdict: str
    basis_now: list[int]
    held_by: int | None

    @property
    def is_as_seen(self) -> bool:
        return self.basis == self.basis_now


def decide_step(held: Held, actor: Actor) -> bool:
    """Decides the values that come next; returns whether there may be more."""
    with change(actor=actor) as ledger:
        take_verdict_lock()
        batch = locked(held)
        try:
            like = decision_like(batch)
        except CannotDecide as refusal:
            fail(ledger, batch, refusal.message)
            return False
        coming = _next(batch, like)
        _decide(ledger, batch, like, [each for each in coming if each.is_as_seen])
        leave(batch, {each.value: each.basis for each in coming if not each.is_as_seen})
        return go_on(ledger, batch, position=coming[-1].number if coming else None, done=len(coming))


def decision_like(batch: Batch) -> Decision:
    """What all decisions of the batch have in common, on a subject that is to be replaced."""
    if not batch.case.is_live:
        raise CannotDecide("", CASE_IS_CLOSED)
    like = new_decision(
        case=batch.case,
        subject=Subject.of_value("", "name"),
        verdict=batch.verdict,
        scope=batch.scope,
        file=batch.file,
        reason=batch.reason,
        expires_at=batch.expires_at,
        proposer=batch.person,
    )
    like.batch = batch
    return like


def _next(batch: Batch, like: Decision) -> list[Next]:
    with connection.cursor() as cursor:
        cursor.execute(
            _NEXT,
            [
                *(like.scope, like.case_id, like.file_kind, like.file_key),
                *(batch.pk, batch.position, settings.FOOTPRINT.batch_step),
            ],
        )
        return [Next(*row) for row in cursor.fetchall()]


def _decide(ledger: Change, batch: Batch, like: Decision, values: Sequence[Next]) -> None:
    superseded = _make_room(ledger, batch, like, values)
    made = insert_decisions(
        like,
        [
            ToMake(each.kind, each.value, each.held_by if each.held_by in superseded else None)
            for each in values
        ],
    )
    settle(
        lock_reached_exactly(
            [(each.kind, each.value) for each in values],
            case_id=like.case_id,
            file_kind=like.file_kind,
            file_key=like.file_key,
        )
    )
    for each in values:
        # One object speaks for each in turn: thousands of them would take longer than all statements.
        like.pk, like.subject, like.subject_kind = made[each.value], each.value, each.kind
        replaced = superseded.get(each.held_by) if each.held_by is not None else None
        like.supersedes_id = replaced.pk if replaced else None
        if replaced is not None:
            note_ended(ledger, replaced, reason=like.reason, superseded_by=like.pk, batch=batch.pk)
        note_made(ledger, like, verdict_before=each.verdict, batch=batch.pk)
    batch.decided += len(made)
    batch.superseded += len(superseded)


def _make_room(ledger: Change, batch: Batch, like: Decision, values: Sequence[Next]) -> dict[int, Decision]:
    """Ends what holds the new decisions' places; returns those that were still in force, by id."""
    holders = Decision.objects.in_bulk([each.held_by for each in values if each.held_by is not None])
    expired = [
        each for each in holders.values() if each.expires_at is not None and each.expires_at <= like.made_at
    ]
    for each in expired:
        del holders[each.pk]
    end_decisions(expired, Decision.State.EXPIRED, None, like.made_at)
    for each in expired:
        note_ended(ledger, each, reason="Its time was over.", batch=batch.pk)
    end_decisions(holders.values(), Decision.State.SUPERSEDED, batch.person, like.made_at)
    return holders
