"""One step of undoing a batch: its decisions are withdrawn, and what they superseded is made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from cases.batches.claims import Held, locked
from cases.batches.ending import CASE_IS_CLOSED, fail, go_on
from cases.batches.sql import COVERS, IN_FORCE
from cases.batches.writing import end_decisions
from cases.deciding import database_now, made_again
from cases.decision_entries import note_ended, note_made
from cases.models import Batch, Decision, LeftAlone
from cases.verdicts.settle import lock_reached_exactly, settle, take_verdict_lock
from footprint.ledger.record import Actor, Change, change

# The decisions that come next, each with the latest that was made on its subject since.
_NEXT = f"""
    SELECT own.id, (SELECT max(d.id) FROM cases_decision d
                     WHERE d.subject = own.subject AND d.subject_kind = own.subject_kind
                       AND d.id > own.id AND {IN_FORCE} AND {COVERS})
      FROM cases_decision own CROSS JOIN (SELECT %s::bigint AS case_id) v
     WHERE own.batch_id = %s AND own.id > %s
     ORDER BY own.id LIMIT %s
"""  # noqa: S608  # constants of ours


@dataclass(frozen=True, slots=True)
class Next:
    decision: Decision
    later: Decision | None

    @property
    def may_go(self) -> bool:
        return self.decision.state == Decision.State.IN_FORCE and self.later is None


def undo_step(held: Held, actor: Actor) -> bool:
    """Undoes the decisions that come next; returns whether there may be more."""
    with change(actor=actor) as ledger:
        take_verdict_lock()
        batch = locked(held)
        if not batch.case.is_live:
            fail(ledger, batch, CASE_IS_CLOSED)
            return False
        coming = _next(batch)
        may_go = [each.decision for each in coming if each.may_go]
        left = [each for each in coming if not each.may_go]
        _undo(ledger, batch, may_go)
        _leave(batch, left)
        last = coming[-1].decision.pk if coming else None
        return go_on(ledger, batch, position=last, done=len(coming))


def _next(batch: Batch) -> list[Next]:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [batch.case_id, batch.pk, batch.position, settings.FOOTPRINT.batch_step])
        found = cursor.fetchall()
    ids = {pk for row in found for pk in row if pk is not None}
    decisions = Decision.objects.select_related("proposer", "ended_by").in_bulk(ids)
    return [Next(decisions[own], decisions[later] if later else None) for own, later in found]


def _undo(ledger: Change, batch: Batch, decisions: Sequence[Decision]) -> None:
    end_decisions(decisions, Decision.State.WITHDRAWN, batch.asked_by, database_now())
    remade = _make_again(decisions)
    settle(_lock_reached(batch, decisions))
    for each in decisions:
        again = remade.get(each.supersedes_id or 0)
        reason = batch.task_reason or "Undone"
        note_ended(ledger, each, reason=reason, made_again=again.pk if again else None, batch=batch.pk)
        if again is not None:
            note_made(
                ledger,
                again,
                verdict_before=each.verdict,
                made_again_from=each.supersedes_id,
                batch=batch.pk,
            )
    batch.withdrawn += len(decisions)
    batch.made_again += len(remade)


def _make_again(withdrawn: Sequence[Decision]) -> dict[int, Decision]:
    """By the id of what was superseded."""
    superseded = Decision.objects.in_bulk(
        [each.supersedes_id for each in withdrawn if each.supersedes_id is not None]
    )
    now = database_now()
    remade = {pk: made_again(each, now) for pk, each in superseded.items()}
    remade = {pk: each for pk, each in remade.items() if each.expires_at is None or each.expires_at > now}
    Decision.objects.bulk_create(remade.values())
    return remade


def _lock_reached(batch: Batch, decisions: Sequence[Decision]) -> list[int]:
    return lock_reached_exactly(
        [(each.subject_kind, each.subject) for each in decisions],
        case_id=batch.case_id if batch.scope == Decision.Scope.CASE else None,
        file_kind=batch.file.kind if batch.file else "",
        file_key=batch.file.key if batch.file else "",
    )


def _leave(batch: Batch, left: Sequence[Next]) -> None:
    LeftAlone.objects.bulk_create(
        LeftAlone(
            batch=batch,
            task=batch.task,
            value=each.decision.subject,
            why=_why(each),
            because=each.later or each.decision,
        )
        for each in left
    )
    batch.left_alone += len(left)


def _why(left: Next) -> str:
    if left.later is not None:
        return f"{left.later.get_verdict_display()} since by {left.later.proposer}"
    by = f" by {left.decision.ended_by}" if left.decision.ended_by else ""
    return f"no longer in force: {left.decision.get_state_display()}{by}"
