"""What an administrator does with people, and what people do with their password."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from footprint.accounts.lock_out import locked_among, unlock
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.models import Entry
from footprint.ledger.people import LastAdministrator, lock_with_administrators, subject_of
from footprint.ledger.record import Actor, change

# Nothing that is mistaken for something else when it is read aloud or copied from paper.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class NotActive(Exception):
    """Whoever is deactivated gets no password and no sign-in."""


def new_password() -> str:
    """About 99 bits, in four groups."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def give_password(*, actor: Actor, person: Person, reason: str = "") -> str:
    """A new password, told once. The old one and every session end with it; the person must change it."""
    password = new_password()
    with change(actor=actor) as ledger:
        locked = Person.objects.select_for_update().get(pk=person.pk)
        if not locked.is_active:
            raise NotActive
        _set_given_password(locked, password)
        ledger.add(Event.PASSWORD_GIVEN, subject_of(locked), reason=reason)
    return password


def choose_password(*, person: Person, password: str) -> None:
    """Every other session of the person ends with it."""
    with change(actor=Actor.person(person)) as ledger:
        locked = Person.objects.select_for_update().get(pk=person.pk)
        locked.set_password(password)
        locked.must_choose_password = False
        locked.save(update_fields=["password", "must_choose_password"])
        ledger.add(Event.PASSWORD_CHOSEN, subject_of(locked))


def deactivate(*, actor: Actor, person: Person, reason: str = "") -> bool:
    """Whether that changed anything. The password goes too, so that no session comes back later."""
    with change(actor=actor) as ledger:
        locked, is_last = lock_with_administrators(person)
        if not locked.is_active:
            return False
        if is_last:
            raise LastAdministrator
        locked.is_active = False
        locked.set_unusable_password()
        locked.save(update_fields=["is_active", "password"])
        ledger.add(
            Event.PERSON_DEACTIVATED,
            subject_of(locked),
            before={"active": True},
            after={"active": False},
            reason=reason,
        )
    return True


def reactivate(*, actor: Actor, person: Person, reason: str = "") -> str | None:
    """A new password, told once; None when the person was active."""
    password = new_password()
    with change(actor=actor) as ledger:
        locked = Person.objects.select_for_update().get(pk=person.pk)
        if locked.is_active:
            return None
        locked.is_active = True
        locked.save(update_fields=["is_active"])
        _set_given_password(locked, password)
        ledger.add(
            Event.PERSON_REACTIVATED,
            subject_of(locked),
            before={"active": False},
            after={"active": True},
            reason=reason,
        )
    return password


def locked_out() -> dict[int, list[str]]:
    """By person: the addresses for which they are locked out now.

    The ledger tells which ones to look at; what counts attempts keeps no names.
    """
    window = timedelta(minutes=settings.FOOTPRINT.sign_in_lock_minutes)
    noted = Entry.objects.filter(event=Event.PERSON_LOCKED_OUT, at__gt=Now() - window)
    told = {(int(entry.subject_id), str(entry.content["after"]["address"])) for entry in noted}
    names = {person.pk: person.username for person in Person.objects.filter(pk__in=[pk for pk, _ in told])}
    locked = locked_among((names[pk], address) for pk, address in told if pk in names)
    found: dict[int, list[str]] = {}
    for pk, address in sorted(told):
        if (names.get(pk), address) in locked:
            found.setdefault(pk, []).append(address)
    return found


def unlock_person(*, actor: Actor, person: Person, reason: str = "") -> bool:
    with change(actor=actor) as ledger:
        addresses = locked_out().get(person.pk)
        if not addresses:
            return False
        unlock(person.username, addresses)
        ledger.add(
            Event.PERSON_UNLOCKED,
            subject_of(person),
            before={"locked_for": addresses},
            after={"locked_for": []},
            reason=reason,
        )
    return True


def _set_given_password(person: Person, password: str) -> None:
    person.set_password(password)
    person.must_choose_password = True
    person.save(update_fields=["password", "must_choose_password"])
