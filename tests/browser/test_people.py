"""The pages of administrators and auditors: nothing axe objects to, nothing wider than the window."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Page, expect

from footprint.accounts.lock_out import count_attempt
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Verification
from footprint.ledger.people import note_lock_outs
from footprint.ledger.person_actions import deactivate
from footprint.ledger.proof import ask_verification, carry_out
from footprint.ledger.record import Actor
from footprint.ledger.sealing import make_checkpoint
from tests.browser.conftest import PASSWORD, World, sign_in
from tests.browser.test_looks import WIDTHS, complaints

ADDRESS = "198.51.100.7"


@pytest.fixture
def people(world: World, tmp_path: Path, settings) -> list[Person]:
    """An administrator, an auditor with two verifications, one who is locked out and one who is gone."""
    settings.FOOTPRINT = django_settings.FOOTPRINT.model_copy(
        update={"data_dir": tmp_path, "checkpoint_file": tmp_path / "checkpoints.jsonl"}
    )
    names = (
        ("ada", Role.ADMINISTRATOR),
        ("otto", Role.AUDITOR),
        ("gone", Role.READER),
        ("shut", Role.ANALYST),
    )
    ada, otto, gone, shut = [
        Person.objects.create_user(name, password=PASSWORD, first_name=name.title(), role=role)
        for name, role in names
    ]
    deactivate(actor=Actor.person(ada), person=gone, reason="Left the house")
    for _ in range(6):
        attempt = count_attempt("shut", ADDRESS)
        note_lock_outs(attempt=attempt, person=shut, address=ADDRESS, minutes=15)
    make_checkpoint()
    carry_out(ask_verification(actor=otto).pk)
    return [ada, otto, gone, shut]


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)]
)
def test_axe_has_no_complaint(
    page: Page, people: list[Person], scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    found = []
    ada, otto, gone, shut = people

    sign_in(page, "ada")
    of_people = [f"/people/{person.pk}/" for person in (ada, gone, shut)]
    for address in ("/people/", *of_people, "/account/", "/account/password/"):
        page.goto(address)
        found += complaints(page)
    page.goto("/people/")
    page.get_by_label("Signs in as").fill("ADA")
    page.get_by_label("Name", exact=True).fill("Ada the second")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("There is already a person of this name.")).to_be_visible()
    found += complaints(page)
    page.get_by_label("Signs in as").fill("eve")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#password")).to_be_visible()
    found += complaints(page)
    page.context.clear_cookies()
    sign_in(page, "otto")
    page.goto("/ledger/")
    found += complaints(page)
    page.goto("/ledger/proof/")
    found += complaints(page)
    Verification.objects.create(asked_by=otto, total=400_000, checked=123_456)
    page.goto("/ledger/proof/")
    found += complaints(page)
    assert found == []


def test_no_page_is_wider_than_the_window(page: Page, people: list[Person]) -> None:
    Person.objects.filter(username="shut").update(first_name="W" * 90, last_name="x " * 30)
    sign_in(page, "ada")
    too_wide = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for address in ("/people/", f"/people/{people[3].pk}/", "/account/password/", "/ledger/proof/"):
            page.goto(address)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                too_wide.append((width, address))
    assert too_wide == []


def test_whoever_was_given_a_password_is_led_to_choose_one(page: Page, people: list[Person]) -> None:
    Person.objects.filter(username="otto").update(must_choose_password=True)
    page.goto("/sign-in")
    page.get_by_label("Name").fill("otto")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Choose a password of your own first.")).to_be_visible()
    page.get_by_label("Password now").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("quite another word")
    page.get_by_label("New password again").fill("quite another word")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The password is changed.")).to_be_visible()
    page.goto("/ledger/proof/")
    expect(page.get_by_role("button", name="Verify all entries")).to_be_visible()
