from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page

from cases.models import Case
from footprint.accounts.models import Person, Role
from footprint.ledger.people import add_person
from footprint.ledger.record import Actor
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.house import FreshDatabase

PASSWORD = "a long enough word"


@dataclass(frozen=True)
class World:
    case: Case
    rui: Person
    ana: Person


def person(username: str, name: str, role: Role) -> Person:
    actor = Actor.command("tests")
    return add_person(actor=actor, username=username, name=name, role=role, password=PASSWORD)


@pytest.fixture
def world(fresh_database: FreshDatabase) -> World:
    """A case of two files with a few values, one of them decided, and two reviewers."""
    rui = person("rui", "Rui Sousa", Role.REVIEWER)
    ana = person("ana", "Ana Costa", Role.REVIEWER)
    case = open_case(rui, "updater.exe", "update-helper.exe")
    known: dict[str, Any] = {"file": "updater.exe"}
    merge_and_settle(
        case,
        row("203.0.113.24", "cdn.contoso-update.example", events=9412, devices=21, **known),
        row("203.0.113.25", "cdn.contoso-update.example", events=31, file="update-helper.exe"),
        row("203.0.113.26", "telemetry.contoso-update.example", days_ago=1, **known),
        row("198.51.100.77", days_ago=2, ports=[4444, 8443], **known),
        row(dns="<img src=x onerror=document.title='run'>", days_ago=3, **known),
        row(dns="evil\u202egnp.example/", days_ago=4, **known),
        row("10.1.2.3", "a-label-that-goes-on.and-on.some-long-company-name.example", days_ago=5, **known),
        row("203.0.113.88", days_ago=6, **known),
    )
    decide_on(ana, case, "203.0.113.88", reason="Hoster of the relay network")
    return World(case, rui, ana)


@pytest.fixture
def signed_in(page: Page, world: World) -> Page:
    """Rui's page."""
    sign_in(page, "rui")
    return page


def sign_in(page: Page, username: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
