"""The inbox under the keyboard, its previews, and the same without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from cases.models import Decision, Proposal, ReviewDue
from footprint.accounts.models import Person, Role
from tests.browser.conftest import World, person, sign_in
from tests.browser.test_looks import WIDTHS, complaints
from tests.cases.world import decide_on
from tests.house import LiveSite

NAME = "cdn.contoso-update.example"


@pytest.fixture
def eve(world: World) -> Person:
    """An analyst with a proposal; and something of the case is due for review."""
    eve = person("eve", "Eve Lind", Role.ANALYST)
    decide_on(eve, world.case, NAME)
    file = world.case.files.get(key="updater.exe")
    for cause, what in (("hash", "b4" * 20), ("folder", "c:\\users\\public")):
        ReviewDue.objects.create(case=world.case, cause=cause, file=file, what=what)
    ReviewDue.objects.create(case=world.case, cause="port", value="203.0.113.88", what="8443")
    return eve


def test_approving_and_confirming_by_keyboard_alone(signed_in: Page, eve: Person) -> None:
    page = signed_in
    page.goto("/")
    for key in "ja":
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Approve: ")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Approved: ")).to_be_visible()
    assert Decision.objects.get(subject=NAME).state == "in force"
    page.goto("/")
    for key in "jj":
        page.keyboard.press(key)
    page.keyboard.press("c")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 reviews are confirmed")).to_be_visible()
    assert ReviewDue.objects.waiting().count() == 1


def test_rejecting_by_keyboard_needs_a_reason(signed_in: Page, eve: Person) -> None:
    page = signed_in
    page.goto("/")
    for key in "jr":
        page.keyboard.press(key)
    page.keyboard.type("It is the vendor's own network")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Rejected: ")).to_be_visible()
    assert Proposal.objects.get().ended_because == "It is the vendor's own network"


def test_the_line_in_focus_is_previewed_on_wide_screens(signed_in: Page, eve: Person) -> None:
    page = signed_in
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/")
    preview = page.locator("#preview")
    expect(preview.get_by_role("heading", level=2)).to_contain_text("Eve Lind proposes to block")
    for key in "jj":
        page.keyboard.press(key)
    expect(preview.get_by_role("heading", level=2)).to_have_text("Who does it talk to?")
    assert complaints(page) == []
    page.set_viewport_size({"width": 1000, "height": 900})
    expect(preview).to_be_hidden()


def test_a_group_folds_and_is_passed_over(signed_in: Page, eve: Person) -> None:
    page = signed_in
    page.goto("/")
    for key in "jh":
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Approve: ")).to_be_hidden()
    page.keyboard.press("j")
    expect(page.locator("[data-item]:focus")).to_contain_text("203.0.113.88: 1 new port")
    for key in "kl":
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Approve: ")).to_be_visible()


def test_the_pages_fit_and_axe_has_no_complaint(signed_in: Page, world: World, eve: Person) -> None:
    found = []
    for width in WIDTHS:
        signed_in.set_viewport_size({"width": width, "height": 800})
        for address in ("/", "/?all=reviews", f"/cases/{world.case.pk}/reviews/"):
            signed_in.goto(address)
            wide = signed_in.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, (width, address)
            found += complaints(signed_in) if width in (1440, 390) else []
    assert found == []


def test_without_scripts_approving_and_confirming_work(
    chromium: Browser, live_site: LiveSite, world: World, eve: Person
) -> None:
    with chromium.new_context(base_url=live_site.url, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, "rui")
        page.get_by_role("button", name="Approve: ").click()
        expect(page.get_by_text("Approved: ")).to_be_visible()
        page.get_by_role("button", name="Confirm all").click()
        expect(page.get_by_text("2 reviews are confirmed")).to_be_visible()
        page.locator("summary", has_text="Review due").click()
        expect(page.get_by_text("1 new port")).to_be_hidden()
