"""What people do with a batch: one transaction each, ledger included. The deciding itself is a worker's."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from cases.batches.answering import waiting_of
from cases.batches.deciding import decision_like
from cases.batches.ending import end, note, subject_of
from cases.batches.freezing import Frozen, freeze
from cases.batches.leaving import wide_in_force
from cases.deciding import checked_reason
from cases.models import Batch, BatchValue, Case, CaseFile
from cases.proposals import why_not_for
from cases.refusals import CannotDecide
from cases.value_queryset import CaseValueQuerySet
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, change


class CannotChangeBatch(Exception):
    """The batch is not in a state for this, or it is not this person's; the text says which."""


def draft(
    *,
    actor: Person,
    case: Case,
    values: CaseValueQuerySet,
    verdict: str,
    scope: str,
    reason: str,
    expires_at: datetime | None = None,
    file: CaseFile | None = None,
    query: str = "",
    is_picked: bool = False,
) -> Batch:
    """Freezes what the batch would be on. Nothing is decided, so nothing stands in the ledger yet.

    The reason may still be missing. CannotDecide says which field is wrong, as for a single decision.
    """
    with transaction.atomic():
        batch = Batch(
            case=case,
            person=actor,
            asked_by=actor,
            query=query,
            is_picked=is_picked,
            verdict=verdict,
            scope=scope,
            file=file,
            reason=reason.strip(),
            expires_at=expires_at,
        )
        decision_like(batch, is_worded=False)
        batch.save()
        most = settings.FOOTPRINT.batch_most
        # Before the values are frozen: what is decided between the two is then one more change since.
        wide_basis = wide_in_force(batch)
        frozen = freeze(batch, values, at_most=most + 1)
        if frozen.values + frozen.unsettled > most:
            raise CannotDecide("", f"That is more than {most:,} values; narrow the filter.")
        if not frozen.values:
            raise CannotDecide("", _why_none(frozen))
        batch.total = batch.task_total = frozen.values
        batch.unsettled = frozen.unsettled
        batch.wide_basis = wide_basis
        batch.save(update_fields=["total", "task_total", "unsettled", "wide_basis"])
    return batch


def _why_none(frozen: Frozen) -> str:
    if not frozen.unsettled:
        return "No value matches any more; nothing would be decided."
    are = "1 value is" if frozen.unsettled == 1 else f"{frozen.unsettled:,} values are"
    return f"{are} still being settled; select them again once that is done."


def change_draft(
    *,
    actor: Person,
    batch: Batch,
    scope: str,
    reason: str,
    expires_at: datetime | None = None,
    file: CaseFile | None = None,
) -> Batch:
    """Words it otherwise; what it is on stays frozen."""
    with transaction.atomic():
        own = _own_draft(batch, actor, "change")
        own.scope, own.file, own.reason, own.expires_at = scope, file, reason.strip(), expires_at
        decision_like(own, is_worded=False)
        own.save(update_fields=["scope", "file", "reason", "expires_at"])
    return own


def confirm(*, actor: Person, batch: Batch) -> Batch:
    """Lets the workers begin. CannotDecide where the reason is missing, the expiry past, the case closed."""
    with change(actor=Actor.person(actor)) as ledger:
        own = _own_draft(batch, actor, "confirm")
        decision_like(own)
        own.confirmed_at = Now()
        _queue(own, Batch.Task.DECIDING, actor, total=own.total)
        ledger.add(
            Event.BATCH_CONFIRMED,
            subject_of(own),
            case_number=own.case_id,
            after={
                "query": own.query,
                "picked": own.is_picked,
                "total": own.total,
                "verdict": own.verdict,
                "scope": own.scope,
                "frozen_at": own.frozen_at.isoformat(),
            },
            reason=own.reason,
        )
    return own


def discard(*, actor: Person, batch: Batch) -> None:
    """Forgets a draft."""
    with transaction.atomic():
        _own_draft(batch, actor, "discard").delete()


def stop(*, actor: Person, batch: Batch) -> Batch:
    """What is decided stays decided; the step under way is the last."""
    with change(actor=Actor.person(actor)) as ledger:
        own = _locked(batch)
        if not own.is_underway:
            raise CannotChangeBatch(f"It is not running ({own.get_state_display()}).")
        end(own, Batch.State.STOPPED, f"Stopped by {actor}")
        note(ledger, own, Event.BATCH_STOPPED)
    return own


def resume(*, actor: Person, batch: Batch) -> Batch:
    """Goes on where it was stopped, or where it failed."""
    with change(actor=Actor.person(actor)) as ledger:
        own = _own(batch, actor, "resume", of=batch.asked_by_id)
        if own.state not in (Batch.State.STOPPED, Batch.State.FAILED):
            raise CannotChangeBatch(f"There is nothing to go on with ({own.get_state_display()}).")
        if own.task != Batch.Task.REJECTING:
            _refuse_closed(own, "It goes on")
        before = {"state": str(own.state), "said": own.said}
        own.state, own.said, own.losses, own.ended_at, own.hinted_at = Batch.State.QUEUED, "", 0, None, None
        own.version += 1
        own.save()
        note(ledger, own, Event.BATCH_RESUMED, before=before, state=Batch.State.QUEUED.value)
    return own


def end_for_good(*, actor: Person, batch: Batch) -> Batch:
    """Gives up what a stopped or failed batch has not come to; what it did can be answered then."""
    with change(actor=Actor.person(actor)) as ledger:
        own = _locked(batch)
        if not may_end(actor, own):
            raise CannotChangeBatch(f"Only {own.person}, or who may approve, can end this for good.")
        left = values_left(own)
        if not left:
            raise CannotChangeBatch(f"It has nothing left to decide ({own.get_state_display()}).")
        end(own, Batch.State.DONE, f"Ended by {actor} with {left:,} of them never decided")
        note(ledger, own, Event.BATCH_FINISHED)
        BatchValue.objects.filter(batch=own).delete()
    return own


def may_end(person: Person, batch: Batch) -> bool:
    """Giving up somebody else's selection takes somebody who could have answered it."""
    return batch.person_id == person.pk or may(person, Verb.APPROVE)


def undo_batch(*, actor: Person, batch: Batch, reason: str = "") -> Batch:
    """Has all decisions of the batch withdrawn, as far as they are still what governs their subjects."""
    with change(actor=Actor.person(actor)) as ledger:
        own = _own(batch, actor, "undo")
        if own.state == Batch.State.DRAFT or own.is_underway:
            raise CannotChangeBatch(f"It is {own.get_state_display()}; stop it first.")
        if own.is_undone:
            raise CannotChangeBatch("It is undone already.")
        if own.task == Batch.Task.UNDOING:
            raise CannotChangeBatch("Its undoing was begun and is not over; go on with that.")
        _refuse_closed(own, "It can be undone")
        total = own.decisions.count()
        if not total:
            raise CannotChangeBatch("It has decided nothing.")
        own.task_reason = reason.strip()
        _queue(own, Batch.Task.UNDOING, actor, total=total)
        note(ledger, own, Event.BATCH_UNDO_ASKED, reason)
    return own


def approve_batch(*, actor: Person, batch: Batch) -> Batch:
    """Has the proposals of the batch put in force, each as far as it would change what its proposer saw."""
    return _answer(actor, batch, Batch.Task.APPROVING, Event.BATCH_APPROVAL_ASKED, "")


def reject_batch(*, actor: Person, batch: Batch, reason: str) -> Batch:
    return _answer(actor, batch, Batch.Task.REJECTING, Event.BATCH_REJECTION_ASKED, checked_reason(reason))


def _answer(actor: Person, batch: Batch, task: Batch.Task, event: Event, reason: str) -> Batch:
    with change(actor=Actor.person(actor)) as ledger:
        own = _locked(batch)
        if own.is_underway or own.state == Batch.State.DRAFT:
            raise CannotChangeBatch(f"It is {own.get_state_display()}.")
        _refuse_half_way(own)
        if task == Batch.Task.APPROVING:
            _refuse_closed(own, "It can be approved")
        waiting = waiting_of(own)
        first = waiting.with_decision().first()
        if first is None:
            raise CannotChangeBatch("None of its proposals waits any more.")
        why = why_not_for(actor, first)
        if why:
            raise CannotChangeBatch(why)
        own.task_reason = reason
        _queue(own, task, actor, total=waiting.count())
        note(ledger, own, event, reason)
    return own


def _refuse_closed(batch: Batch, what: str) -> None:
    if not batch.case.is_live:
        raise CannotChangeBatch(f"The case is closed. {what} once that is reopened.")


def _refuse_half_way(batch: Batch) -> None:
    """Another task takes over the position, and the rest could never be gone on with."""
    left = values_left(batch)
    if left:
        raise CannotChangeBatch(
            f"{left:,} of its values are not decided yet. Go on with it, or end it for good."
        )


def values_left(batch: Batch) -> int:
    if batch.task != Batch.Task.DECIDING or batch.state not in (Batch.State.STOPPED, Batch.State.FAILED):
        return 0
    return BatchValue.objects.filter(batch=batch, number__gt=batch.position).count()


def _queue(batch: Batch, task: Batch.Task, by: Person, *, total: int) -> None:
    batch.task, batch.state, batch.asked_by = task, Batch.State.QUEUED, by
    batch.position, batch.task_total, batch.task_done, batch.losses = 0, total, 0, 0
    batch.left_alone = 0
    batch.said, batch.started_at, batch.ended_at, batch.hinted_at = "", None, None, None
    batch.version += 1
    batch.save()


def _locked(batch: Batch) -> Batch:
    return Batch.objects.select_for_update(of=("self",)).select_related("case", "person").get(pk=batch.pk)


def _own_draft(batch: Batch, actor: Person, what: str) -> Batch:
    own = _own(batch, actor, what)
    if own.state != Batch.State.DRAFT:
        raise CannotChangeBatch("This was confirmed already.")
    return own


def _own(batch: Batch, actor: Person, what: str, of: int | None = None) -> Batch:
    owner = of or batch.person_id
    if owner != actor.pk:
        raise CannotChangeBatch(f"Only {Person.objects.get(pk=owner)} can {what} this.")
    return _locked(batch)
