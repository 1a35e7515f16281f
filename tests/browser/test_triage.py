"""Twenty values, one after the other, by keyboard alone."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from cases.models import CaseValue, Decision
from tests.browser.conftest import World
from tests.cases.world import merge_and_settle, row

HOSTILE = ("xn--pple-43d.example", "x" * 60 + "." + "y" * 60 + "." + "z" * 60 + "." + "w" * 62 + ".example")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_twenty_values_are_decided_by_keyboard_alone(
    signed_in: Page, world: World, scheme: Literal["light", "dark"]
) -> None:
    page = signed_in
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    names = [*(f"n{number}.fabrikam.example" for number in range(18)), *HOSTILE]
    merge_and_settle(world.case, *(row(dns=name, file="updater.exe", days_ago=-1) for name in names))
    page.goto(f"/cases/{world.case.pk}/?q=example&verdict=undecided")
    page.keyboard.press("j")
    for number in range(20):
        current = page.locator("[data-row]:focus")
        expect(current).to_have_count(1)
        value = CaseValue.objects.get(pk=current.get_attribute("data-row") or "")
        page.keyboard.press("a" if number % 2 else "b")
        expect(page.get_by_label("Reason")).to_be_focused()
        page.keyboard.type(f"Reason {number}")
        page.keyboard.press("Enter")
        expect(page.locator("[data-editor]")).to_have_count(0)
        expect(page.locator(f'[data-row="{value.pk}"]')).to_contain_text(
            "allowed" if number % 2 else "blocked"
        )
    assert Decision.objects.filter(subject__in=names, state="in force").count() == 20


def test_domains_unfold_and_fold_under_the_keyboard(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto(f"/cases/{world.case.pk}/?by=domain")
    head = page.locator(".is-fold").first
    expect(head).to_contain_text("*.contoso-update.example")
    head.focus()
    page.keyboard.press("l")
    expect(page.locator(".dgroup [data-row]")).to_have_count(2)
    page.locator(".is-fold").first.focus()
    page.keyboard.press("j")
    expect(page.locator(".dgroup [data-row]").first).to_be_focused()
    page.keyboard.press("b")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("[data-editor]")).to_have_count(0)
    page.locator(".is-fold").first.focus()
    page.keyboard.press("h")
    expect(page.locator(".dgroup [data-row]")).to_have_count(0)


def test_long_and_foreign_names_fit_a_phone(signed_in: Page, world: World) -> None:
    page = signed_in
    merge_and_settle(world.case, *(row(dns=name, file="updater.exe") for name in HOSTILE))
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("?q=xn--", "?q=www", "?by=domain", f"?q={HOSTILE[1]}"):
        page.goto(f"/cases/{world.case.pk}/{address}")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, address
    page.goto("/values/?value=xn--pple-43d.example")
    expect(page.get_by_role("heading", level=1)).to_have_text("xn--pple-43d.example")
    expect(page.get_by_text("shown: \u0430pple.example")).to_be_visible()
