"""Entries about people: they live here, because the ledger knows people and people know no ledger."""

from __future__ import annotations

from footprint.accounts.models import Person, Role
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Subject, change


def add_person(*, actor: Actor, username: str, name: str, role: Role, password: str) -> Person:
    first, _, last = name.partition(" ")
    with change(actor=actor) as ledger:
        person = Person(username=username, first_name=first, last_name=last, role=role)
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


def subject_of(person: Person) -> Subject:
    return Subject("person", str(person.pk), str(person))
