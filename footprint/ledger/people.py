"""Entries about people: they live here, because the ledger knows people and people know no ledger."""

from __future__ import annotations

from footprint.accounts.lock_out import Attempt
from footprint.accounts.models import Person, Role
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Subject, change


def add_person(
    *, actor: Actor, username: str, name: str, role: Role, password: str, is_given: bool = False
) -> Person:
    """A password that is given must be changed by the person before anything else can be done with it."""
    first, _, last = name.partition(" ")
    with change(actor=actor) as ledger:
        person = Person(
            username=username, first_name=first, last_name=last, role=role, must_choose_password=is_given
        )
        person.set_password(password)
        person.save()
        ledger.add(
            Event.PERSON_ADDED,
            subject_of(person),
            after={"username": username, "name": name, "role": role.value},
        )
    return person


def note_sign_in(person: Person) -> None:
    with change(actor=Actor.person(person)) as ledger:
        ledger.add(Event.PERSON_SIGNED_IN, subject_of(person))


def note_sign_out(person: Person) -> None:
    with change(actor=Actor.person(person)) as ledger:
        ledger.add(Event.PERSON_SIGNED_OUT, subject_of(person))


class LastAdministrator(Exception):
    """Nobody would be left who may change roles."""


def set_role(*, actor: Actor, person: Person, role: Role, reason: str = "") -> bool:
    """Whether the role has changed. It counts from the person's next request on."""
    with change(actor=actor) as ledger:
        locked, is_last = lock_with_administrators(person)
        if locked.role == role:
            return False
        if is_last:
            raise LastAdministrator
        before, locked.role = locked.role, role
        locked.save(update_fields=["role"])
        ledger.add(
            Event.ROLE_CHANGED,
            subject_of(locked),
            before={"role": str(before)},
            after={"role": role.value},
            reason=reason,
        )
    return True


def lock_with_administrators(person: Person) -> tuple[Person, bool]:
    """The row, and whether it is the last administrator.

    All administrators are locked, so that two of them cannot take the role from each other at once.
    """
    administrators = set(
        Person.objects.select_for_update()
        .filter(role=Role.ADMINISTRATOR, is_active=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    return Person.objects.select_for_update().get(pk=person.pk), administrators == {person.pk}


def note_lock_outs(*, attempt: Attempt, person: Person | None, address: str, minutes: int) -> None:
    """Only the attempt that locks is noted, and never a name that nobody has: people type passwords there.

    The address is part of the entry's own origin too, but says here what was locked.
    """
    with change(actor=Actor.clock("sign_in")) as ledger:
        if "name" in attempt.locks and person is not None:
            ledger.add(
                Event.PERSON_LOCKED_OUT, subject_of(person), after={"address": address, "minutes": minutes}
            )
        if "address" in attempt.locks:
            ledger.add(
                Event.ADDRESS_LOCKED_OUT, Subject("address", address, address), after={"minutes": minutes}
            )


def subject_of(person: Person) -> Subject:
    return Subject("person", str(person.pk), str(person))
