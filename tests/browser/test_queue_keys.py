"""The queue under the keyboard alone: nothing here uses the mouse."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from cases.models import CaseValue, Decision
from tests.browser.conftest import World
from tests.cases.world import decide_on, verdict_of

TOP, SECOND, THIRD = "cdn.contoso-update.example", "telemetry.contoso-update.example", "198.51.100.77"


def focus_list(page: Page, world: World) -> None:
    """Tab from the top of the page until a row has the focus."""
    page.goto(f"/cases/{world.case.pk}/")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.row !== undefined"):
            return
    raise AssertionError("Tab never reached the list.")


def row_of(page: Page, world: World, value: str) -> str:
    return f'[data-row="{CaseValue.objects.get(case=world.case, value=value).pk}"]'


def test_allow_block_and_undo(signed_in: Page, world: World) -> None:
    page = signed_in
    focus_list(page, world)
    expect(page.locator(row_of(page, world, TOP))).to_be_focused()

    page.keyboard.press("a")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("On the vendor's list")
    page.keyboard.press("Enter")
    second = page.locator(row_of(page, world, SECOND))
    expect(second).to_be_focused()
    expect(page.locator(row_of(page, world, TOP))).to_contain_text("allowed")
    expect(page.locator("#match-count")).to_have_text("5 of 7 undecided")
    assert verdict_of(world.case, TOP) == "allowed"

    page.keyboard.press("b")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("Talks to the relay")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("since Friday")
    page.keyboard.press("Enter")
    expect(page.locator(row_of(page, world, THIRD))).to_be_focused()
    expect(page.locator("#live")).to_contain_text(f"Blocked {SECOND} everywhere. 4 values undecided.")
    assert Decision.objects.get(subject=SECOND).reason.splitlines() == ["Talks to the relay", "since Friday"]

    page.keyboard.press("u")
    expect(second).to_contain_text("undecided")
    expect(page.locator("#count-undecided")).to_have_text("5")
    assert verdict_of(world.case, SECOND) == "undecided"

    # Later, without the toast: u on the row itself.
    page.reload()
    page.locator(row_of(page, world, TOP)).focus()
    page.keyboard.press("u")
    expect(page.locator(row_of(page, world, TOP))).to_contain_text("undecided")
    assert verdict_of(world.case, TOP) == "undecided"


def test_moving_folding_and_the_panel(signed_in: Page, world: World) -> None:
    page = signed_in
    focus_list(page, world)
    page.keyboard.press("j")
    expect(page.locator(row_of(page, world, SECOND))).to_be_focused()
    page.keyboard.press("k")
    top = page.locator(row_of(page, world, TOP))
    expect(top).to_be_focused()

    page.keyboard.press("l")
    expect(page.locator("[data-pair]")).to_have_count(2)
    expect(top).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("[data-pair]").first).to_be_focused()
    page.keyboard.press("h")
    expect(page.locator("[data-pair]")).to_have_count(0)
    expect(top).to_be_focused()

    page.keyboard.press("o")
    expect(page.locator("#panel h2")).to_have_text(TOP)
    expect(top).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("#panel h2")).to_have_text(SECOND)
    page.keyboard.press("o")
    expect(page.locator("#panel")).to_be_empty()


def test_escape_cancels_and_slash_filters(signed_in: Page, world: World) -> None:
    page = signed_in
    focus_list(page, world)
    page.keyboard.press("b")
    expect(page.get_by_label("Reason")).to_be_focused()
    # Keys are letters while one types.
    page.keyboard.type("jkabuo/?")
    expect(page.get_by_label("Reason")).to_have_value("jkabuo/?")
    page.keyboard.press("Escape")
    expect(page.locator("[data-editor]")).to_have_count(0)
    expect(page.locator(row_of(page, world, TOP))).to_be_focused()

    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("only while the list has focus")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_label("Name or address contains")).to_be_focused()
    page.keyboard.type("198.51")
    page.keyboard.press("Enter")
    expect(page.locator("#match-count")).to_have_text("1 of 7 match")
    assert not Decision.objects.exclude(subject="203.0.113.88").exists()


def test_a_missing_reason_keeps_the_editor_open_and_says_so(signed_in: Page, world: World) -> None:
    page = signed_in
    focus_list(page, world)
    page.keyboard.press("b")
    reason = page.get_by_label("Reason")
    expect(reason).to_be_focused()
    page.evaluate("document.querySelector('[data-editor] form').noValidate = true")
    page.keyboard.press("Enter")
    expect(page.locator("[data-editor]")).to_contain_text("Say why")
    expect(reason).to_be_focused()
    expect(reason).to_have_attribute("aria-invalid", "true")


def test_a_conflict_loses_nothing_that_was_typed(signed_in: Page, world: World) -> None:
    page = signed_in
    focus_list(page, world)
    page.keyboard.press("b")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("My words")
    decide_on(world.ana, world.case, TOP, "allowed", scope="case", reason="Vendor CDN")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Ana Costa allowed this")
    expect(dialog).to_contain_text("Vendor CDN")
    expect(dialog).to_contain_text("My words")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Reason")).to_have_value("My words")
    assert Decision.objects.in_force().filter(subject=TOP).count() == 1

    page.get_by_label("Reason").press("Enter")
    dialog.get_by_role("button", name="Save mine beside it").press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("[data-editor]")).to_have_count(0)
    assert Decision.objects.in_force().filter(subject=TOP).count() == 2


def test_a_value_that_is_gone_is_told_and_takes_nothing_that_was_typed(signed_in: Page, world: World) -> None:
    page = signed_in
    focus_list(page, world)
    page.keyboard.press("b")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("My words")
    CaseValue.objects.filter(case=world.case, value=TOP).delete()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("This is not there any more. Nothing was saved.")
    expect(page.get_by_label("Reason")).to_have_value("My words")


def test_what_other_parts_swap_moves_no_focus(signed_in: Page, world: World) -> None:
    page = signed_in
    focus_list(page, world)
    page.keyboard.press("b")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.get_by_label("Until").focus()
    page.evaluate("htmx.ajax('GET', '/static/favicon.svg', {target: '#fresh', swap: 'innerHTML'})")
    expect(page.locator("#fresh svg")).to_be_attached()
    expect(page.get_by_label("Until")).to_be_focused()


def test_a_session_that_ended_leads_to_the_sign_in_page(signed_in: Page, world: World) -> None:
    page = signed_in
    focus_list(page, world)
    page.context.clear_cookies()
    page.keyboard.press("l")
    page.wait_for_url(f"**/sign-in?next=/cases/{world.case.pk}/")


def test_j_enters_the_list_when_nothing_has_the_focus(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto(f"/cases/{world.case.pk}/")
    page.keyboard.press("j")
    expect(page.locator(row_of(page, world, TOP))).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(row_of(page, world, SECOND))).to_be_focused()
