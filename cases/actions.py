"""Making, extending and ending decisions: one transaction each, ledger included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from cases.bases import bases_of, basis_of, check_basis
from cases.clock import database_now
from cases.deciding import (
    checked_expiry,
    checked_reason,
    effect_in_words,
    end,
    made_again,
    new_decision,
    preview_of,
    preview_of_end,
    propose,
    put_in_force,
    refuse_closed,
    subject_for,
    verdict_in_case,
    withdraw_now,
)
from cases.decision_entries import note_ended, note_made
from cases.models import Case, CaseFile, CaseValue, Decision, Proposal
from cases.observed import is_storable
from cases.places import proposed_in_the_place_of
from cases.refusals import CannotDecide, DecidedMeanwhile, PreviewMoved, UndoRefused
from cases.second_person import why_not_alone
from cases.verdicts.preview import Preview
from cases.verdicts.settle import take_verdict_lock
from footprint.accounts.models import Person
from footprint.ledger.record import Actor, Change, change

__all__ = [
    "CannotDecide",
    "DecidedMeanwhile",
    "PreviewMoved",
    "UndoRefused",
    "Undone",
    "bases_of",
    "basis_of",
    "decide",
    "expire_due",
    "extend",
    "undo",
    "withdraw",
]


@dataclass(frozen=True, slots=True)
class Undone:
    """`remade` is the decision that the withdrawn one had superseded, in force again as a new one."""

    withdrawn: Decision
    remade: Decision | None
    effect: Mapping[str, object]


def decide(
    *,
    actor: Person,
    case: Case,
    value: str,
    verdict: str,
    scope: str,
    reason: str,
    basis: str,
    subject: str = "",
    expires_at: datetime | None = None,
    file: CaseFile | None = None,
    seen: str = "",
) -> Decision:
    """Allows or blocks a value of the case, or the `subject` as typed that covers it.

    The decision is in force, or proposed where it needs a second person. `basis` is
    `basis_of(case, value)` as the person saw it; when that has changed, DecidedMeanwhile. `seen` is the
    digest of the preview that they saw, if they saw one; when it has moved, PreviewMoved. CannotDecide
    says which field is wrong. In all three cases nothing is written.
    """

    def drafted() -> Decision:
        return new_decision(
            case=case,
            subject=subject_for(_value_to_decide(case, value), subject),
            verdict=verdict,
            scope=scope,
            file=file,
            reason=reason,
            expires_at=expires_at,
            proposer=actor,
        )

    with change(actor=Actor.person(actor)) as ledger:
        early = _preview_of_wide(drafted()) if subject else None
        take_verdict_lock()
        decision = drafted()
        check_basis(case, value, basis)
        _make_or_propose(ledger, decision, actor, seen, early)
    return decision


def _preview_of_wide(decision: Decision) -> Preview | None:
    """Counted before the lock, so that nobody waits for it; approving counts again."""
    return preview_of(decision) if decision.as_subject.is_wide else None


def _value_to_decide(case: Case, value: str) -> CaseValue:
    refuse_closed(case)
    found = CaseValue.objects.filter(case=case, value=value).first() if is_storable(value) else None
    if found is None:
        raise CannotDecide("value", "This case knows no such name or address.")
    return found


def extend(*, actor: Person, decision: Decision, expires_at: datetime | None, reason: str) -> Decision:
    """A new decision, of the same verdict, subject and scope, that supersedes; in force or proposed."""
    with change(actor=Actor.person(actor)) as ledger:
        take_verdict_lock()
        old = _in_force(decision)
        refuse_closed(old.case)
        longer = made_again(old)
        longer.supersedes = longer.made_again_from = None
        longer.expires_at = checked_expiry(expires_at, longer.made_at)
        longer.reason = checked_reason(reason)
        longer.proposer, longer.approver = actor, None
        _make_or_propose(ledger, longer, actor, "")
    return longer


def _make_or_propose(
    ledger: Change, decision: Decision, actor: Person, seen: str, early: Preview | None = None
) -> None:
    why = why_not_alone(actor, decision)
    preview = early or (preview_of(decision) if seen or why else None)
    _refuse_moved(preview, seen)
    if preview is None or not why:
        put_in_force(ledger, decision, actor, preview)
        return
    _refuse_second_proposal(decision)
    propose(
        ledger,
        decision,
        kind=Proposal.Kind.MAKE,
        proposer=actor,
        reason=decision.reason,
        why=why,
        preview=preview,
    )


def _refuse_moved(preview: Preview | None, seen: str) -> None:
    if seen and preview is not None and preview.digest != seen:
        raise PreviewMoved(preview)


def _refuse_second_proposal(decision: Decision) -> None:
    other = proposed_in_the_place_of(decision)
    if other is not None:
        raise CannotDecide("", f"{other.proposer} has proposed already: {other}. That is ended first.")


def withdraw(*, actor: Person, decision: Decision, reason: str, seen: str = "") -> Proposal | None:
    """Ends a decision in force, whoever made it. Returns the proposal where that needs a second person."""
    with change(actor=Actor.person(actor)) as ledger:
        take_verdict_lock()
        old = _in_force(decision)
        refuse_closed(old.case)
        reason = checked_reason(reason)
        why = why_not_alone(actor, old)
        preview = preview_of_end(old)
        _refuse_moved(preview, seen)
        if not why:
            withdraw_now(ledger, old, actor, reason, preview)
            return None
        if Proposal.objects.waiting().filter(decision=old).exists():
            raise CannotDecide("", "Its withdrawal is proposed already.")
        return propose(
            ledger,
            old,
            kind=Proposal.Kind.WITHDRAW,
            proposer=actor,
            reason=reason,
            why=why,
            preview=preview,
        )


def _in_force(decision: Decision) -> Decision:
    found = (
        Decision.objects.in_force()
        .select_related("proposer", "made_in", "case")
        .filter(pk=decision.pk)
        .first()
    )
    if found is None:
        raise CannotDecide("", "This decision is no longer in force.")
    return found


def undo(*, actor: Person, decision: Decision) -> Undone:
    """Withdraws the actor's own decision; what it superseded is made again, unless its time is over."""
    with change(actor=Actor.person(actor)) as ledger:
        take_verdict_lock()
        own = Decision.objects.select_related("made_in", "supersedes").get(pk=decision.pk)
        remade = _to_make_again(own)
        _refuse_undo(own, remade, actor)
        verdict_before = verdict_in_case(own)
        end(ledger, own, Decision.State.WITHDRAWN, actor)
        if remade is not None:
            remade.made_at = database_now()
            remade.save()
        effect = effect_in_words([own], None)
        note_ended(ledger, own, reason="Undone", effect=effect, made_again=remade.pk if remade else None)
        if remade is not None:
            note_made(ledger, remade, verdict_before=verdict_before, made_again_from=own.supersedes_id)
    return Undone(own, remade, effect)


def _refuse_undo(own: Decision, again: Decision | None, actor: Person) -> None:
    if own.proposer_id != actor.pk:
        raise UndoRefused(f"{own.proposer} made this decision; only they can undo it.")
    on_subject = Decision.objects.in_force().filter(subject_kind=own.subject_kind, subject=own.subject)
    if own.made_in is not None:
        if not own.made_in.is_live:
            raise UndoRefused("The case is closed; nothing is decided in it until it is reopened.")
        on_subject = on_subject.covering(own.made_in)
    # Not by the id alone: what was approved keeps the id that it was proposed with.
    since = Q(made_at__gt=own.made_at) | Q(made_at=own.made_at, pk__gt=own.pk)
    found = (
        on_subject.filter(since | Q(pk=own.pk))
        .select_related("proposer", "approver")
        .order_by("-made_at", "-pk")
    )
    standing = list(found)
    later = standing[0] if standing and standing[0] != own else None
    if own not in standing:
        how = "expired" if own.state == Decision.State.IN_FORCE else own.get_state_display()
        raise UndoRefused(f"This decision is no longer in force ({how}).", later)
    if later is not None:
        raise UndoRefused(f"{later.in_force_by} has decided since: {later}.", later)
    why = _why_not_undone_alone(actor, own, again)
    if why:
        raise UndoRefused(
            f"Ending this decision needs a second person: propose to withdraw it. {' '.join(why)}"
        )


def _why_not_undone_alone(actor: Person, own: Decision, again: Decision | None) -> list[str]:
    """Of what ends, and of what it superseded, which is made again."""
    whys = [*why_not_alone(actor, own), *(why_not_alone(actor, again) if again is not None else ())]
    return list(dict.fromkeys(whys))


def _to_make_again(withdrawn: Decision) -> Decision | None:
    superseded = withdrawn.supersedes
    if superseded is None:
        return None
    remade = made_again(superseded)
    return None if remade.is_past(remade.made_at) else remade


def expire_due() -> int:
    """Ends the decisions whose time is over, by the database's clock. Returns how many.

    One transaction each: the verdict lock is never held long, and rows stay locked in the common order.
    """
    due = Decision.objects.past_expiry().order_by("pk").values_list("pk", flat=True)
    return sum(_expire(pk) for pk in list(due))


def _expire(pk: int) -> bool:
    with change(actor=Actor.clock("expire_decisions")) as ledger:
        take_verdict_lock()
        decision = Decision.objects.past_expiry().filter(pk=pk).first()
        if decision is None:
            return False
        end(ledger, decision, Decision.State.EXPIRED, None)
        effect = effect_in_words([decision], None)
        note_ended(ledger, decision, reason="Its time was over.", effect=effect)
        return True
