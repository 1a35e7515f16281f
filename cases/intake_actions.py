"""Taking in somebody else's list: reading it, confirming, stopping and dropping it. One transaction each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from cases.clock import database_now
from cases.deciding import checked_expiry, checked_reason
from cases.intakes.confirming import SMALL_LIST, takes_lead
from cases.intakes.examining import examine
from cases.intakes.taking_in import CannotTakeIn, fill
from cases.models import Intake, Verdict
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Subject, change

__all__ = [
    "SMALL_LIST",
    "CannotTakeIn",
    "confirm",
    "drop",
    "shown_of",
    "stop",
    "subject_of",
    "take_in",
]


def take_in(*, actor: Person, content: bytes, name: str, verdict: str, reader: str = "") -> Intake:
    """Reads the list and keeps what each line is. Nothing is decided by it. Raises CannotTakeIn."""
    if verdict not in (Verdict.ALLOWED, Verdict.BLOCKED):
        raise CannotTakeIn("verdict", "Decide on allow or block.")
    with change(actor=Actor.person(actor)) as ledger:
        intake = Intake(name=name, verdict=verdict, person=actor, read_at=database_now())
        fill(intake, content, reader)
        ledger.add(Event.INTAKE_READ, subject_of(intake), after=_kept(intake))
    return intake


def confirm(
    *,
    actor: Person,
    intake: Intake,
    reason: str,
    expires_at: datetime | None = None,
    takes_over: bool = False,
    seen: str = "",
) -> Intake:
    """Has the list decided by workers, in the name of the actor. CannotDecide at the field that is wrong.

    `seen` is `shown_of(intake)` as the person saw it; when decisions have changed it, CannotTakeIn.
    """
    _look_again(intake)
    with change(actor=Actor.person(actor)) as ledger:
        draft = _locked(intake, Intake.State.DRAFT, "This list is not waiting for anybody any more.")
        now = database_now()
        draft.reason, draft.expires_at = checked_reason(reason), checked_expiry(expires_at, now)
        if seen and seen != shown_of(draft):
            raise CannotTakeIn(
                "", "Decisions have changed since you looked: what is shown now is not what you saw."
            )
        draft.takes_over = takes_over
        draft.total = draft.entries.to_land(takes_over=takes_over).count()
        if not draft.total:
            raise CannotTakeIn("", "No line of this list would be decided.")
        if takes_lead(actor, draft.total):
            raise CannotTakeIn("", f"More than {SMALL_LIST} decisions at once are confirmed by a lead.")
        draft.state = Intake.State.LANDING
        draft.confirmed_by, draft.confirmed_at = actor, now
        draft.version += 1
        draft.save()
        after = {**_kept(draft), "decisions": draft.total, "takes_over": takes_over}
        ledger.add(Event.INTAKE_CONFIRMED, subject_of(draft), after=after, reason=draft.reason)
    return draft


def shown_of(intake: Intake) -> str:
    """Stands for what a person who looks at the list sees of it: each line, and what it stands against."""
    return intake.entries.digest()


def _look_again(intake: Intake) -> None:
    """Committed by itself: whoever is refused is shown what is so now."""
    with transaction.atomic():
        if Intake.objects.select_for_update().filter(pk=intake.pk, state=Intake.State.DRAFT).exists():
            examine(intake)


def stop(*, actor: Person, intake: Intake) -> Intake:
    """What has landed stays; the rest of the list is left alone."""
    return _end(actor, intake, Intake.State.LANDING, Intake.State.STOPPED, Event.INTAKE_STOPPED)


def drop(*, actor: Person, intake: Intake) -> Intake:
    """Nothing of the list was decided, and nothing will be."""
    return _end(actor, intake, Intake.State.DRAFT, Intake.State.DROPPED, Event.INTAKE_DROPPED)


def _end(actor: Person, intake: Intake, before: Intake.State, state: Intake.State, event: Event) -> Intake:
    with change(actor=Actor.person(actor)) as ledger:
        ended = _locked(intake, before, f"This list is {intake.get_state_display()} already.")
        ended.state, ended.ended_at = state, database_now()
        ended.said = f"{actor} ended it." if state == Intake.State.STOPPED else ""
        ended.version += 1
        ended.save()
        ledger.add(event, subject_of(ended), before={"state": before.value}, after=_kept(ended))
    return ended


def _locked(intake: Intake, state: Intake.State, otherwise: str) -> Intake:
    found = Intake.objects.select_for_update().get(pk=intake.pk)
    if found.state != state:
        raise CannotTakeIn("", otherwise)
    return found


def subject_of(intake: Intake) -> Subject:
    return Subject("intake", str(intake.pk), str(intake))


def _kept(intake: Intake) -> Mapping[str, object]:
    return {
        "state": str(intake.state),
        "verdict": intake.verdict,
        "reader": intake.reader,
        "sha256": intake.sha256,
        "bytes": intake.size,
        "lines": intake.entries.counts("finding"),
        "asides": intake.asides,
    }
