"""The site as somebody with a certain role sees it."""

from __future__ import annotations

from django.test import Client

from footprint.accounts.models import Person, Role


def person_with(role: Role, username: str = "") -> Person:
    name = username or role.value
    return Person.objects.create(username=name, first_name=name.title(), role=role)


def client_of(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def client_with(role: Role) -> Client:
    return client_of(person_with(role))
