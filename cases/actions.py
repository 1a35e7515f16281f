"""Changes that people and the clock make to decisions: one transaction each, ledger included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cases.deciding import (
    CannotDecide,
    DecidedMeanwhile,
    UndoRefused,
    bases_of,
    basis_of,
    check_basis,
    end,
    in_the_place_of,
    made_again,
    new_decision,
    note_ended,
    note_made,
    resettle,
)
from cases.models import Case, CaseFile, CaseValue, Decision
from cases.observed import is_storable
from cases.verdicts.settle import Settled, take_verdict_lock
from footprint.accounts.models import Person
from footprint.ledger.record import Actor, Change, change

__all__ = [
    "CannotDecide",
    "DecidedMeanwhile",
    "UndoRefused",
    "Undone",
    "bases_of",
    "basis_of",
    "decide",
    "expire_due",
    "undo",
]


@dataclass(frozen=True, slots=True)
class Undone:
    """`remade` is the decision that the withdrawn one had superseded, in force again as a new one."""

    withdrawn: Decision
    remade: Decision | None
    effect: Settled


def decide(
    *,
    actor: Person,
    case: Case,
    value: str,
    verdict: str,
    scope: str,
    reason: str,
    basis: str,
    expires_at: datetime | None = None,
    file: CaseFile | None = None,
) -> Decision:
    """Allows or blocks a value of the case.

    `basis` is `basis_of(case, value)` as the person saw it; when that has changed, DecidedMeanwhile.
    CannotDecide says which field is wrong. Either way nothing is written.
    """
    with change(actor=Actor.person(actor)) as ledger:
        take_verdict_lock()
        of_case = _value_to_decide(case, value)
        decision = new_decision(
            case=case,
            subject=of_case.exact_subject,
            verdict=verdict,
            scope=scope,
            file=file,
            reason=reason,
            expires_at=expires_at,
            proposer=actor,
        )
        check_basis(case, value, basis)
        replaced = _make_room(ledger, decision, actor)
        decision.supersedes = replaced
        decision.save()
        effect = resettle([decision])
        if replaced is not None:
            note_ended(ledger, replaced, reason=decision.reason, superseded_by=decision.pk)
        note_made(ledger, decision, verdict_before=of_case.verdict, effect=effect.in_words())
    return decision


def _value_to_decide(case: Case, value: str) -> CaseValue:
    if not Case.objects.live().filter(pk=case.pk).exists():
        raise CannotDecide("", "This case is closed; nothing is decided in it until it is reopened.")
    found = CaseValue.objects.filter(case=case, value=value).first() if is_storable(value) else None
    if found is None:
        raise CannotDecide("value", "This case knows no such name or address.")
    return found


def _make_room(ledger: Change, decision: Decision, actor: Person) -> Decision | None:
    """Ends what holds the new decision's (subject, scope); returns it when it was still in force."""
    holder = in_the_place_of(decision)
    if holder is None:
        return None
    if holder.expires_at is not None and holder.expires_at <= decision.made_at:
        end(holder, Decision.State.EXPIRED, None)
        note_ended(ledger, holder, reason="Its time was over.")
        return None
    end(holder, Decision.State.SUPERSEDED, actor)
    return holder


def undo(*, actor: Person, decision: Decision) -> Undone:
    """Withdraws the actor's own decision; what it superseded is made again, unless its time is over."""
    with change(actor=Actor.person(actor)) as ledger:
        take_verdict_lock()
        own = Decision.objects.select_related("made_in", "supersedes").get(pk=decision.pk)
        _refuse_undo(own, actor)
        end(own, Decision.State.WITHDRAWN, actor)
        remade = _make_again(own)
        effect = resettle([own])
        note_ended(
            ledger,
            own,
            reason="Undone",
            effect=effect.in_words(),
            made_again=remade.pk if remade else None,
        )
        if remade is not None:
            note_made(ledger, remade, verdict_before=own.verdict, made_again_from=own.supersedes_id)
    return Undone(own, remade, effect)


def _refuse_undo(own: Decision, actor: Person) -> None:
    if own.proposer_id != actor.pk:
        raise UndoRefused(f"{own.proposer} made this decision; only they can undo it.")
    on_subject = Decision.objects.in_force().filter(subject_kind=own.subject_kind, subject=own.subject)
    on_subject = on_subject.select_related("proposer")
    if own.made_in is not None:
        if not own.made_in.is_live:
            raise UndoRefused("The case is closed; nothing is decided in it until it is reopened.")
        on_subject = on_subject.covering(own.made_in)
    later = on_subject.filter(pk__gt=own.pk).order_by("-pk").first()
    if not on_subject.filter(pk=own.pk).exists():
        raise UndoRefused(f"This decision is no longer in force ({own.get_state_display()}).", later)
    if later is not None:
        raise UndoRefused(f"{later.proposer} has decided since: {later}.", later)


def _make_again(withdrawn: Decision) -> Decision | None:
    superseded = withdrawn.supersedes
    if superseded is None:
        return None
    remade = made_again(superseded)
    if remade.expires_at is not None and remade.expires_at <= remade.made_at:
        return None
    remade.save()
    return remade


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
        end(decision, Decision.State.EXPIRED, None)
        effect = resettle([decision])
        note_ended(ledger, decision, reason="Its time was over.", effect=effect.in_words())
        return True
