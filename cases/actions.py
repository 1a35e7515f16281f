"""Changes that people and the clock make to cases and decisions: one transaction each, ledger included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

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
from cases.models import Case, CaseFile, CaseValue, CaseVisit, Decision
from cases.observed import is_storable
from cases.verdicts.settle import Settled, take_verdict_lock
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, Subject, change

__all__ = [
    "CannotDecide",
    "CannotOpen",
    "DecidedMeanwhile",
    "FileText",
    "UndoRefused",
    "Undone",
    "add_case",
    "bases_of",
    "basis_of",
    "decide",
    "expire_due",
    "undo",
    "visit",
]

_LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class FileText:
    """A file to hunt for: kind (name, sha1, sha256), the text as typed, and its ASCII-lowered key."""

    kind: str
    text: str
    key: str


class CannotOpen(Exception):
    """A case needs a title and at least one file; `field` names what is missing."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Undone:
    """`remade` is the decision that the withdrawn one had superseded, in force again as a new one."""

    withdrawn: Decision
    remade: Decision | None
    effect: Settled


def add_case(ledger: Change, *, owner: Person, title: str, why: str, files: Sequence[FileText]) -> Case:
    """Opens a case inside an open change. A file named twice is kept once, as first typed."""
    if not title.strip():
        raise CannotOpen("title", "Give the case a title.")
    if len(title.strip()) > _LONGEST_TITLE:
        raise CannotOpen("title", f"A title has at most {_LONGEST_TITLE} characters.")
    if not files:
        raise CannotOpen("files", "Name at least one file.")
    distinct: dict[tuple[str, str], FileText] = {}
    for file in files:
        distinct.setdefault((file.kind, file.key), file)
    case = Case.objects.create(title=title.strip(), why=why.strip(), owner=owner)
    CaseFile.objects.bulk_create(
        CaseFile(case=case, kind=file.kind, text=file.text, key=file.key) for file in distinct.values()
    )
    ledger.add(
        Event.CASE_OPENED,
        Subject("case", str(case.pk), case.title),
        case_number=case.pk,
        after={
            "title": case.title,
            "why": case.why,
            "files": [[file.kind, file.text] for file in distinct.values()],
        },
    )
    return case


def visit(*, person: Person, case: Case) -> datetime | None:
    """Notes that the person has the case open; returns when they last had. Nothing changes, so no entry."""
    known = CaseVisit.objects.filter(person=person, case=case).values_list("at", flat=True).first()
    CaseVisit.objects.update_or_create(person=person, case=case, defaults={"at": timezone.now()})
    return known


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
    if Case.objects.filter(pk=case.pk).values_list("state", flat=True).first() != Case.State.OPEN:
        raise CannotDecide("", "This case is archived; nothing is decided in it any more.")
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
        if own.made_in.state != Case.State.OPEN:
            raise UndoRefused("The case is archived; nothing is decided in it any more.")
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
