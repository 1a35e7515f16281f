"""One step of deciding: as many values as one transaction may take without others waiting for long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from cases.batches.claims import Held, locked
from cases.batches.ending import CASE_IS_CLOSED, fail, go_on
from cases.batches.leaving import WideChanges, leave_moved, leave_proposed
from cases.batches.making import make_room, settle_subjects
from cases.batches.pace import Pace
from cases.batches.proposing import propose_many
from cases.batches.renewing import own_proposals_renewed
from cases.batches.sql import BASIS
from cases.batches.writing import ToMake, insert_decisions
from cases.deciding import new_decision
from cases.decision_entries import MadeAlike, note_ended, note_made_alike
from cases.models import Batch, Decision
from cases.refusals import CannotDecide
from cases.second_person import why_second_person_of
from cases.verdicts.four_eyes import ONLY_PROPOSES
from cases.verdicts.settle import take_verdict_lock
from cases.verdicts.subject import Subject
from footprint.accounts.may import Verb, may
from footprint.ledger.record import Actor, Change, change

_PLACE = """
    {name}.subject = b.value AND {name}.subject_kind = b.kind AND {name}.scope = %(scope)s
    AND {name}.case_id IS NOT DISTINCT FROM %(case)s
    AND {name}.file_kind = %(file_kind)s AND {name}.file_key = %(file_key)s
"""
# The values that come next, as they are now, with who holds and who waits for the place of the decision.
_NEXT = f"""
    SELECT b.number, b.value, b.kind, b.basis, v.verdict, {BASIS} AS basis_now, held.id, waiting.id
      FROM cases_batchvalue b
      JOIN cases_casevalue v ON v.id = b.case_value_id
      LEFT JOIN cases_decision held ON held.state = 'in force' AND {_PLACE.format(name="held")}
      LEFT JOIN cases_decision waiting ON waiting.state = 'proposed' AND {_PLACE.format(name="waiting")}
     WHERE b.batch_id = %(batch)s AND b.number > %(position)s
     ORDER BY b.number LIMIT %(at_most)s
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
    waits: int | None


def decide_step(held: Held, actor: Actor, pace: Pace) -> bool:
    """Decides the values that come next, as many as the pace gives; returns whether there may be more."""
    with change(actor=actor) as ledger:
        take_verdict_lock()
        at_most = pace.begin()
        batch = locked(held)
        try:
            like = decision_like(batch)
        except CannotDecide as refusal:
            fail(ledger, batch, refusal.message)
            return False
        coming = _next(batch, like, at_most)
        _decide_or_leave(ledger, batch, like, coming)
        return go_on(ledger, batch, position=coming[-1].number if coming else None, done=len(coming))


def decision_like(batch: Batch, *, is_worded: bool = True) -> Decision:
    """What all decisions of the batch have in common, on a subject that is to be replaced.

    A draft may still lack its reason. Raises CannotDecide at the field that is wrong.
    """
    if not batch.case.is_live:
        raise CannotDecide("", CASE_IS_CLOSED)
    like = new_decision(
        case=batch.case,
        subject=Subject.of_value("", "name"),
        verdict=batch.verdict,
        scope=batch.scope,
        file=batch.file,
        reason=batch.reason if is_worded else batch.reason or "to be given",
        expires_at=batch.expires_at,
        proposer=batch.person,
    )
    like.batch = batch
    return like


def _next(batch: Batch, like: Decision, at_most: int) -> list[Next]:
    with connection.cursor() as cursor:
        cursor.execute(
            _NEXT,
            {
                "scope": like.scope,
                "case": like.case_id,
                "file_kind": like.file_kind,
                "file_key": like.file_key,
                "batch": batch.pk,
                "position": batch.position,
                "at_most": at_most,
            },
        )
        return [Next(*row) for row in cursor.fetchall()]


def _decide_or_leave(ledger: Change, batch: Batch, like: Decision, coming: Sequence[Next]) -> None:
    wide = WideChanges.since(batch)
    moved = {
        each.value for each in coming if each.basis != each.basis_now or wide.cover(each.value, each.kind)
    }
    leave_moved(batch, wide, {each.value: each.basis for each in coming if each.value in moved})
    as_seen = [each for each in coming if each.value not in moved]
    leave_proposed(batch, [each.waits for each in as_seen if each.waits is not None])
    free = [each for each in as_seen if each.waits is None]
    holders = Decision.objects.in_bulk([each.held_by for each in free if each.held_by is not None])
    asked = [to_decide(like, each.kind, each.value) for each in free]
    why = why_not_alone(batch, asked, [holders.get(each.held_by or 0) for each in free])
    alone = [each for each, reasons in zip(free, why, strict=True) if not reasons]
    with own_proposals_renewed(ledger, batch, [(each.kind, each.value) for each in alone]):
        _decide(ledger, batch, like, alone, holders)
    waiting = [(each.value, each.kind, said) for each, said in zip(free, why, strict=True) if said]
    propose_many(ledger, batch, like, waiting)


@dataclass(frozen=True, slots=True)
class ToDecide:
    """A decision on one value, as far as the rule of a second person looks. Thousands are made."""

    as_subject: Subject
    subject_kind: str
    subject: str
    network: str | None
    verdict: str
    scope: str
    made_in_id: int | None


def to_decide(like: Decision, kind: str, value: str) -> ToDecide:
    network = value if kind == "address" else None
    subject = Subject.of_value(value, kind)
    return ToDecide(subject, kind, value, network, like.verdict, like.scope, like.made_in_id)


def why_not_alone(
    batch: Batch, decisions: Sequence[ToDecide], ended: Sequence[Decision | None]
) -> list[tuple[str, ...]]:
    if not decisions:
        return []
    why = why_second_person_of(decisions, ended=ended)
    if may(batch.person, Verb.DECIDE, batch):
        return why
    return [(*reasons, ONLY_PROPOSES) for reasons in why]


def _decide(
    ledger: Change, batch: Batch, like: Decision, values: Sequence[Next], holders: Mapping[int, Decision]
) -> None:
    if not values:
        return
    held = {each.held_by: holders[each.held_by] for each in values if each.held_by is not None}
    superseded = make_room(ledger, batch, held, batch.person, like.made_at)
    places = [(each, superseded.get(each.held_by or 0)) for each in values]
    made = insert_decisions(
        like, [ToMake(each.kind, each.value, replaced.pk if replaced else None) for each, replaced in places]
    )
    settle_subjects(batch, [(each.kind, each.value) for each in values])
    for each, replaced in places:
        if replaced is not None:
            by = made[each.kind, each.value]
            note_ended(ledger, replaced, reason=like.reason, superseded_by=by, batch=batch.pk)
    alike = [
        MadeAlike(
            made[each.kind, each.value],
            each.kind,
            each.value,
            replaced.pk if replaced else None,
            each.verdict,
        )
        for each, replaced in places
    ]
    note_made_alike(ledger, like, alike, batch=batch.pk)
    batch.decided += len(made)
