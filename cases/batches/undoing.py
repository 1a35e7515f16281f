"""One step of undoing a batch: its decisions are withdrawn, and what they superseded is made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from cases.batches.answering import close_many, verdicts_of, waiting_of
from cases.batches.claims import Held, locked
from cases.batches.ending import CASE_IS_CLOSED, fail, go_on
from cases.batches.leaving import leave
from cases.batches.making import end_many, settle_subjects
from cases.batches.pace import Pace
from cases.batches.sql import COVERS
from cases.clock import database_now
from cases.deciding import made_again
from cases.decision_entries import note_ended, note_made
from cases.models import Batch, Decision, Proposal
from cases.second_person import why_second_person_of
from cases.verdicts.four_eyes import ONLY_PROPOSES
from cases.verdicts.in_force import IN_FORCE
from cases.verdicts.settle import take_verdict_lock
from footprint.accounts.may import Verb, may
from footprint.ledger.record import Actor, Change, change

# The decisions that come next, each with those that were made on its subject since, the newest first. What
# was approved keeps the id that it was proposed with, so ids alone do not tell. Not the greatest by max():
# for that the database may read all decisions backwards until it meets one.
_NEXT = f"""
    SELECT own.id, ARRAY(SELECT d.id FROM cases_decision d
                          WHERE d.subject = own.subject AND d.subject_kind = own.subject_kind
                            AND (d.made_at, d.id) > (own.made_at, own.id) AND {IN_FORCE} AND {COVERS}
                          ORDER BY d.made_at DESC, d.id DESC)
      FROM cases_decision own CROSS JOIN (SELECT %s::bigint AS case_id) v
     WHERE own.batch_id = %s AND own.id > %s
     ORDER BY own.id LIMIT %s
"""  # noqa: S608  # constants of ours


@dataclass(frozen=True, slots=True)
class Next:
    """`waiting` is the proposal of a decision that nobody has answered yet."""

    decision: Decision
    later: Decision | None
    waiting: Proposal | None

    @property
    def governs(self) -> bool:
        return self.decision.state == Decision.State.IN_FORCE and self.later is None


def undo_step(held: Held, actor: Actor, pace: Pace) -> bool:
    """Undoes the decisions that come next, as many as the pace gives; returns whether there may be more."""
    with change(actor=actor) as ledger:
        take_verdict_lock()
        at_most = pace.begin()
        batch = locked(held)
        if not batch.case.is_live:
            fail(ledger, batch, CASE_IS_CLOSED)
            return False
        coming = _next(batch, at_most)
        now = database_now()
        waiting = [each.waiting for each in coming if each.waiting is not None]
        close_many(ledger, batch, waiting, Proposal.State.TAKEN_BACK, now)
        governing = [each.decision for each in coming if each.governs]
        superseded = _to_make_again(governing, now)
        why = _why_not_alone(batch, governing, superseded)
        left = [(each, _why(each)) for each in coming if not each.governs and each.waiting is None]
        left += [(each, why[each.decision.pk]) for each in coming if each.decision.pk in why]
        _undo(ledger, batch, [each for each in governing if each.pk not in why], superseded, now)
        leave(batch, [(each.decision.subject, why, each.later or each.decision) for each, why in left])
        batch.withdrawn += len(waiting)
        last = coming[-1].decision.pk if coming else None
        return go_on(ledger, batch, position=last, done=len(coming))


def _why_not_alone(
    batch: Batch, decisions: Sequence[Decision], superseded: Mapping[int, Decision]
) -> dict[int, str]:
    """Why one person cannot end a decision, by its id."""
    if not decisions:
        return {}
    if not may(batch.asked_by, Verb.DECIDE, batch):
        return {each.pk: ONLY_PROPOSES for each in decisions}
    ending = [*decisions, *(each for each in decisions if each.supersedes_id in superseded)]
    again = [superseded[each.supersedes_id] for each in ending[len(decisions) :] if each.supersedes_id]
    judged = why_second_person_of(
        [*decisions, *again], ended=[*(None for _ in decisions), *ending[len(decisions) :]]
    )
    said: dict[int, dict[str, None]] = {}
    for each, why in zip(ending, judged, strict=True):
        said.setdefault(each.pk, {}).update(dict.fromkeys(why))
    return {pk: f"ending it needs a second person: {' '.join(why)}" for pk, why in said.items() if why}


def _to_make_again(ended: Sequence[Decision], now: datetime) -> Mapping[int, Decision]:
    """What they superseded and the clock has not passed, by its id."""
    found = Decision.objects.in_bulk([each.supersedes_id for each in ended if each.supersedes_id is not None])
    return {pk: each for pk, each in found.items() if not each.is_past(now)}


def _next(batch: Batch, at_most: int) -> list[Next]:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [batch.case_id, batch.pk, batch.position, at_most])
        found = [(own, later[0] if later else None) for own, later in cursor.fetchall()]
    ids = {pk for row in found for pk in row if pk is not None}
    decisions = Decision.objects.select_related("proposer", "approver", "ended_by").in_bulk(ids)
    waiting = {
        each.decision_id: each
        for each in waiting_of(batch)
        .select_related("decision")
        .filter(decision__in=[own for own, _ in found])
    }
    return [
        Next(decisions[own], decisions[later] if later else None, waiting.get(own)) for own, later in found
    ]


def _undo(
    ledger: Change,
    batch: Batch,
    decisions: Sequence[Decision],
    superseded: Mapping[int, Decision],
    now: datetime,
) -> None:
    if not decisions:
        return
    verdicts = verdicts_of(batch, decisions)
    end_many(ledger, decisions, Decision.State.WITHDRAWN, batch.asked_by, now)
    remade = _make_again(decisions, superseded, now)
    settle_subjects(batch, [(each.subject_kind, each.subject) for each in decisions])
    for each in decisions:
        again = remade.get(each.supersedes_id or 0)
        reason = batch.task_reason or "Undone"
        note_ended(ledger, each, reason=reason, made_again=again.pk if again else None, batch=batch.pk)
        if again is not None:
            note_made(
                ledger,
                again,
                verdict_before=verdicts.get(each.subject, ""),
                made_again_from=each.supersedes_id,
                batch=batch.pk,
            )
    batch.withdrawn += len(decisions)
    batch.made_again += len(remade)


def _make_again(
    withdrawn: Sequence[Decision], superseded: Mapping[int, Decision], now: datetime
) -> dict[int, Decision]:
    """By the id of what was superseded."""
    ids = {each.supersedes_id for each in withdrawn}
    remade = {pk: made_again(each, now) for pk, each in superseded.items() if pk in ids}
    Decision.objects.bulk_create(remade.values())
    return remade


def _why(left: Next) -> str:
    if left.later is not None:
        return f"{left.later.get_verdict_display()} since by {left.later.in_force_by}"
    by = f" by {left.decision.ended_by}" if left.decision.ended_by else ""
    return f"no longer in force: {left.decision.get_state_display()}{by}"
