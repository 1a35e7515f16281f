"""All decisions, one of them, the search and importing a list, in a real browser."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from cases.intake_actions import confirm, take_in
from cases.intakes.landing import land_waiting
from cases.models import Decision, Intake
from tests.browser.conftest import World, sign_in
from tests.browser.test_looks import WIDTHS, complaints
from tests.house import LiveSite

LIST = b"# of the hoster\nhxxps://bad[.]example/x\n*.relay.example\n203.0.113.88\n*.com\n<img src=x> words\n"


@pytest.fixture
def intake(world: World) -> Intake:
    return take_in(actor=world.rui, content=LIST, name="hoster\u202e.txt", verdict="blocked")


def addresses(intake: Intake) -> list[str]:
    decision = Decision.objects.in_force().earliest("pk")
    return [
        "/decisions/",
        "/decisions/?state=waiting",
        "/decisions/?q=203.0.113.88&verdict=blocked",
        f"/decisions/{decision.pk}/",
        "/search/",
        "/search/?q=contoso",
        "/search/?q=nothing-like-it",
        "/intakes/new/",
        f"/intakes/{intake.pk}/",
        f"/intakes/{intake.pk}/?group=unreadable",
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_has_no_complaint(
    signed_in: Page, intake: Intake, scheme: Literal["light", "dark"], width: int
) -> None:
    page = signed_in
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    found = []
    for address in addresses(intake):
        page.goto(address)
        found += complaints(page)
    page.goto("/ledger/")
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("searchbox").fill("contoso")
    expect(page.locator("#search [data-hit]").first).to_be_visible()
    assert found + complaints(page) == []


def test_no_page_is_wider_than_the_window(signed_in: Page, intake: Intake) -> None:
    too_wide = []
    for width in WIDTHS:
        signed_in.set_viewport_size({"width": width, "height": 800})
        for address in addresses(intake):
            signed_in.goto(address)
            if signed_in.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            ):
                too_wide.append((width, address))
    assert too_wide == []


def test_the_search_works_by_keyboard_alone(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto("/sources/")
    page.keyboard.press("Control+k")
    field = page.get_by_role("dialog").get_by_role("searchbox")
    expect(field).to_be_focused()
    page.keyboard.type("contoso-update.example")
    hits = page.locator("#search [data-hit]")
    expect(hits).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(hits.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(hits.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/values/*/")


def test_typing_goes_on_while_a_hit_has_the_focus(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto("/sources/")
    page.keyboard.press("Control+k")
    page.keyboard.type("203.0.113.8")
    page.locator("#search [data-hit]").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("8")
    expect(page.get_by_role("dialog").get_by_role("searchbox")).to_have_value("203.0.113.88")
    expect(page.locator("#search [data-asked='203.0.113.88']")).to_be_attached()


def test_the_link_opens_the_dialog_and_the_page_takes_the_key(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto("/sources/")
    page.locator(".rail-search").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.goto("/search/?q=contoso")
    page.keyboard.press("Control+k")
    expect(page.locator("[data-search-field]")).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_list_is_pasted_looked_at_and_imported(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto("/decisions/")
    page.get_by_role("link", name="Import a list").click()
    page.get_by_label("Or paste it").fill(LIST.decode())
    page.get_by_role("button", name="Read the list").click()
    expect(page.get_by_role("link", name="Too wide 1")).to_be_visible()
    page.get_by_role("button", name="Block 2 everywhere").click()
    expect(page.get_by_label("Reason")).to_be_focused()
    page.get_by_label("Reason").fill("List of the hoster")
    page.get_by_role("button", name="Block 2 everywhere").click()
    expect(page.get_by_text("of 2 lines")).to_be_visible()
    land_waiting()
    expect(page.get_by_role("link", name="Decided 1")).to_be_visible()
    page.get_by_role("link", name="Proposed 1").click()
    expect(page.get_by_role("row", name="*.relay.example")).to_be_visible()


def test_search_and_import_without_javascript(
    chromium: Browser, live_site: LiveSite, world: World, intake: Intake
) -> None:
    with chromium.new_context(base_url=live_site.url, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, "rui")
        page.locator(".rail-search").click()
        page.get_by_role("searchbox").fill("203.0.113.88")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="203.0.113.88").last.click()
        expect(page.get_by_text("Hoster of the relay network").first).to_be_visible()

        page.goto(f"/intakes/{intake.pk}/")
        page.get_by_label("Reason").fill("List of the hoster")
        page.get_by_role("button", name="Block 2 everywhere").click()
        expect(page.get_by_text("of 2 lines")).to_be_visible()
        land_waiting()
        page.get_by_role("link", name="Refresh").click()
        expect(page.get_by_role("link", name="Decided 1")).to_be_visible()


def test_what_landed_is_told_on_the_page_of_the_decision(
    signed_in: Page, intake: Intake, world: World
) -> None:
    confirm(actor=world.rui, intake=intake, reason="List of the hoster")
    land_waiting()
    decision = Decision.objects.get(subject="bad.example")
    signed_in.goto(f"/decisions/{decision.pk}/")
    expect(signed_in.get_by_role("link", name="the list hoster")).to_be_visible()
