"""Two people in one queue: what one does reaches the other where nothing moves and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cases.models import CaseValue, Decision
from tests.browser.conftest import World, sign_in
from tests.browser.test_looks import complaints
from tests.cases.world import decide_on, merge_and_settle, row, value_of
from tests.house import LiveSite

TOP, SECOND, THIRD = "cdn.contoso-update.example", "telemetry.contoso-update.example", "198.51.100.77"


@pytest.fixture
def anas_page(chromium: Browser, live_site: LiveSite, world: World) -> Iterator[Page]:
    with chromium.new_context(base_url=live_site.url) as context:
        page = context.new_page()
        sign_in(page, "ana")
        yield page


def open_queue(page: Page, world: World) -> None:
    page.goto(f"/cases/{world.case.pk}/")
    expect(page.locator("[data-row]").first).to_be_visible()


def row_on(page: Page, world: World, value: str) -> Locator:
    return page.locator(f'[data-row="{value_of(world.case, value).pk}"]')


def look(page: Page) -> None:
    """What the clock does every five seconds."""
    page.evaluate("htmx.trigger('#changes', 'look')")


def test_a_colleagues_decision_arrives_where_nothing_moves(
    signed_in: Page, anas_page: Page, world: World
) -> None:
    open_queue(signed_in, world)
    open_queue(anas_page, world)
    fourth = signed_in.locator("[data-row]").nth(4)
    signed_in.locator("[data-row]").nth(3).focus()

    row_on(anas_page, world, SECOND).focus()
    anas_page.keyboard.press("b")
    anas_page.get_by_label("Reason").fill("Relay of the beacon")
    anas_page.keyboard.press("Enter")
    expect(row_on(anas_page, world, SECOND)).to_contain_text("blocked")

    expect(signed_in.locator("#changes")).to_contain_text(
        "1 row changed: Ana Costa decided 1.", timeout=15_000
    )
    before = fourth.bounding_box()
    expect(row_on(signed_in, world, SECOND)).to_contain_text("blocked Ana")
    assert fourth.bounding_box() == before
    expect(signed_in.locator("[data-row]").nth(3)).to_be_focused()
    assert complaints(signed_in) == []

    signed_in.get_by_role("button", name="Show", exact=True).click()
    expect(row_on(signed_in, world, SECOND)).to_be_focused()
    expect(signed_in.locator("#changes")).to_be_empty()


def test_a_change_that_arrives_while_a_reason_is_typed_takes_nothing(signed_in: Page, world: World) -> None:
    page = signed_in
    open_queue(page, world)
    row_on(page, world, SECOND).focus()
    page.keyboard.press("b")
    reason = page.get_by_label("Reason")
    expect(reason).to_be_focused()
    page.keyboard.type("Talks to the relay")
    decide_on(world.ana, world.case, SECOND, "allowed", scope="case", reason="Vendor CDN")
    look(page)
    expect(page.locator("[data-editor]")).to_contain_text("Ana Costa decided this meanwhile: allow of")
    expect(reason).to_be_focused()
    expect(reason).to_have_value("Talks to the relay")
    page.keyboard.type(" since Friday")
    assert complaints(page) == []

    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Ana Costa allowed this")
    expect(dialog).to_contain_text("Talks to the relay since Friday")
    assert Decision.objects.in_force().filter(subject=SECOND).count() == 1


def test_two_browsers_race_on_one_row(signed_in: Page, anas_page: Page, world: World) -> None:
    for page in (signed_in, anas_page):
        open_queue(page, world)
        row_on(page, world, THIRD).focus()
        page.keyboard.press("b")
        page.get_by_label("Reason").fill(f"Command channel, says {page.url}")
    signed_in.keyboard.press("Enter")
    expect(row_on(signed_in, world, THIRD)).to_contain_text("blocked")
    anas_page.get_by_label("Reason").press("Enter")
    expect(anas_page.get_by_role("dialog")).to_contain_text("Rui Sousa blocked this")
    assert Decision.objects.filter(subject=THIRD).count() == 1
    anas_page.keyboard.press("Escape")
    expect(anas_page.get_by_label("Reason")).to_have_value(f"Command channel, says {anas_page.url}")


def test_new_values_wait_behind_one_line(signed_in: Page, world: World) -> None:
    page = signed_in
    open_queue(page, world)
    merge_and_settle(
        world.case, row(dns="new1.example", file="updater.exe"), row(dns="new2.example", file="updater.exe")
    )
    look(page)
    expect(page.locator("#changes")).to_contain_text("2 new values came in.")
    expect(page.locator("[data-row]")).to_have_count(7)
    page.get_by_role("link", name="Show the list anew").click()
    expect(page.locator("[data-row]")).to_have_count(9)
    expect(page.locator("#changes")).to_be_empty()


def test_an_unfolded_row_stays_unfolded(signed_in: Page, world: World) -> None:
    page = signed_in
    open_queue(page, world)
    row_on(page, world, TOP).focus()
    page.keyboard.press("l")
    expect(page.locator("[data-pair]")).to_have_count(2)
    decide_on(world.ana, world.case, TOP)
    look(page)
    expect(page.locator("#changes")).to_contain_text("1 row changed")
    expect(page.locator("[data-pair]")).to_have_count(2)


def test_nobody_is_asked_while_the_tab_is_hidden(signed_in: Page, world: World) -> None:
    page = signed_in
    open_queue(page, world)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    decide_on(world.ana, world.case, TOP)
    look(page)
    page.wait_for_timeout(300)
    expect(page.locator("#changes")).to_be_empty()
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#changes")).to_contain_text("1 row changed")


def test_the_rows_changed_by_my_own_decision_follow_at_once(signed_in: Page, world: World) -> None:
    page = signed_in
    merge_and_settle(
        world.case,
        row("203.0.113.99", "shared.example", file="updater.exe"),
        row("203.0.113.99", file="updater.exe"),
    )
    open_queue(page, world)
    row_on(page, world, "203.0.113.99").focus()
    page.keyboard.press("b")
    page.get_by_label("Reason").fill("Relay")
    page.keyboard.press("Enter")
    expect(row_on(page, world, "shared.example")).to_contain_text("blocked")
    assert CaseValue.objects.get(case=world.case, value="shared.example").verdict == "blocked"
