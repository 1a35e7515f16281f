from __future__ import annotations

from collections.abc import Callable

import pytest
from celery import current_app
from django.test import Client
from kombu.exceptions import OperationalError
from redis import Redis

from cases.case_actions import FileText
from cases.models import Case
from footprint.accounts.models import Person, Role
from hunts.actions import LookBack, open_case
from hunts.kql.files import parse_file
from hunts.models import Run, Source
from tests.roles import client_of, person_with

OpenCase = Callable[..., Run]


@pytest.fixture
def ana(db: None) -> Person:
    return person_with(Role.ANALYST, "ana")


@pytest.fixture
def site(ana: Person, valkey: Redis) -> Client:
    """The site as Ana, an analyst, sees it; what it tells the broker is gone after the test."""
    return client_of(ana)


@pytest.fixture
def open_a_case(ana: Person) -> OpenCase:
    def open_it(*names: str, title: str = "Who is that?", look_back: int = 30) -> Run:
        asked = [parse_file(name) for name in names or ("a.exe",)]
        return open_case(
            actor=ana,
            title=title,
            why="",
            files=[FileText(file.kind.value, file.text, file.key) for file in asked],
            source=Source.objects.get(slug="local"),
            look_back=LookBack(look_back),
        )

    return open_it


@pytest.fixture
def run(open_a_case: OpenCase) -> Run:
    return open_a_case("a.exe", "b.exe")


@pytest.fixture
def case(run: Run) -> Case:
    return run.hunt.case


@pytest.fixture
def broker_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OperationalError("Connection refused")

    monkeypatch.setattr(current_app, "send_task", refuse)
