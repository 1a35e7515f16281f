"""Four eyes in a real browser: proposing with `e`, approving and rejecting, also without JavaScript."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from cases.models import CaseValue, Decision, Proposal
from footprint.accounts.models import Person, Role
from tests.browser.conftest import World, person, sign_in
from tests.browser.test_looks import complaints
from tests.browser.test_queue_keys import focus_list
from tests.cases.world import decide_on, verdict_of
from tests.house import LiveSite

TOP, BELOW = "cdn.contoso-update.example", "*.contoso-update.example"


@pytest.fixture
def lea(world: World) -> Person:
    return person("lea", "Lea Moser", Role.LEAD)


@pytest.fixture
def proposal(world: World, lea: Person) -> Proposal:
    decision = decide_on(world.rui, world.case, TOP, subject=BELOW, reason="Their whole domain")
    return decision.proposals.get()


def test_a_wider_subject_is_proposed_by_keyboard_alone(signed_in: Page, world: World) -> None:
    page = signed_in
    focus_list(page, world)
    page.keyboard.press("e")
    expect(page.locator("input[name=subject]").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"input[name=subject][value='{BELOW}']")).to_be_checked()
    look = page.locator(".look")
    expect(look).to_contain_text("contoso-update.example and everything below it")
    expect(look).to_contain_text("undecided → blocked")
    expect(page.locator(f"input[name=subject][value='{BELOW}']")).to_be_focused()
    page.get_by_label("Reason").focus()
    page.keyboard.type("Their whole domain")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text(f"Proposed: block of {BELOW}, everywhere.")
    assert Proposal.objects.waiting().count() == 1
    assert verdict_of(world.case, TOP) == "undecided"


def test_a_proposal_is_approved_by_keyboard(page: Page, world: World, proposal: Proposal) -> None:
    sign_in(page, "lea")
    page.keyboard.press("j")
    item = page.locator("[data-item]").first
    expect(item).to_be_focused()
    page.keyboard.press("a")
    expect(item.locator("[data-approve]")).to_be_focused()
    assert Proposal.objects.waiting().exists()
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text(f"Approved: block of {BELOW}, everywhere.")
    assert verdict_of(world.case, TOP) == "blocked"


def test_a_proposal_is_rejected_with_a_reason_by_keyboard(
    page: Page, world: World, proposal: Proposal
) -> None:
    sign_in(page, "lea")
    page.keyboard.press("j")
    page.keyboard.press("r")
    page.keyboard.type("Shared with the vendor")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text(f"Rejected: block of {BELOW}, everywhere.")
    proposal.refresh_from_db()
    assert (proposal.state, proposal.ended_because) == ("rejected", "Shared with the vendor")
    assert verdict_of(world.case, TOP) == "undecided"


def test_proposing_and_approving_need_no_javascript(
    chromium: Browser, live_site: LiveSite, world: World, lea: Person
) -> None:
    with chromium.new_context(base_url=live_site.url, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, "rui")
        page.goto(f"/cases/{world.case.pk}/")
        page.get_by_role("link", name=f"Wider subject or scope than {TOP}").focus()
        page.keyboard.press("Enter")
        page.locator(f"input[name=subject][value='{BELOW}']").check()
        page.get_by_label("Reason").fill("Their whole domain")
        page.get_by_role("button", name="Decide").click()
        expect(page.locator(".look")).to_contain_text("undecided → blocked")
        page.get_by_role("button", name="Confirm").click()
        expect(page.locator("[data-toast]")).to_contain_text("It waits for a second person.")
    with chromium.new_context(base_url=live_site.url, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, "lea")
        page.get_by_role("link", name=f"Rui Sousa: block {BELOW} everywhere").click()
        page.get_by_role("button", name="Approve").click()
        expect(page.locator("[data-toast]")).to_contain_text("Approved")
    assert Decision.objects.in_force().filter(subject="contoso-update.example").exists()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_the_pages_of_a_proposal_have_no_fault(
    page: Page, world: World, proposal: Proposal, scheme: Literal["light", "dark"], width: int
) -> None:
    soon = timezone.now() + timedelta(days=3)
    expiring = decide_on(world.ana, world.case, "198.51.100.77", "blocked", "case", expires_at=soon)
    case = f"/cases/{world.case.pk}/"
    value = CaseValue.objects.get(case=world.case, value=TOP)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, "lea")
    for address in (
        "/",
        f"/proposals/{proposal.pk}/",
        f"/decisions/{expiring.pk}/withdraw",
        f"/decisions/{expiring.pk}/extend",
        f"{case}?decide={value.pk}&verdict_as=blocked&wider=1",
    ):
        page.goto(address)
        assert complaints(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
