from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import uuid4

import pytest

from cases.case_actions import FileText
from footprint.accounts.models import Person, Role
from footprint.ledger.people import add_person
from footprint.ledger.record import Actor
from hunts.actions import LookBack, open_case
from hunts.adapters import store_of
from hunts.models import Run, Source
from hunts.source_actions import add_source
from tests.hunts.telemetry_lines import Event, fill

OpenRun = Callable[..., Run]


def make_person(username: str = "rui", role: Role = Role.REVIEWER) -> Person:
    return add_person(
        actor=Actor.command("tests"),
        username=username,
        name=username.title(),
        role=role,
        password="a long secret",
    )


@pytest.fixture
def make_source(tmp_path: Path) -> Callable[[Iterable[Event]], Source]:
    """A local source of this test's own, holding these events."""

    def make(events: Iterable[Event]) -> Source:
        source = add_source(actor=Actor.command("tests"), slug=f"s-{uuid4().hex[:12]}", kind="local")
        fill(store_of(source), tmp_path, events)
        return source

    return make


@pytest.fixture
def open_a_run(make_source: Callable[[Iterable[Event]], Source]) -> OpenRun:
    """Opens a case over the files and events given; the run waits for workers."""

    def open_it(events: Iterable[Event], *names: str, look_back: int = 30) -> Run:
        return open_case(
            actor=make_person(),
            title="A case",
            why="",
            files=[FileText("name", name, name.lower()) for name in names],
            source=make_source(events),
            look_back=LookBack(look_back),
        )

    return open_it
