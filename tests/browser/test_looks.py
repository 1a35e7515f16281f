"""What holds for every page: nothing axe objects to, nothing wider than the window, nothing that runs."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from cases.models import CaseValue
from tests.browser.conftest import World

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1440, 1000, 390, 320)


def addresses(world: World) -> list[str]:
    case = f"/cases/{world.case.pk}/"
    top, decided = (
        CaseValue.objects.get(case=world.case, value=value)
        for value in ("cdn.contoso-update.example", "203.0.113.88")
    )
    return [
        "/",
        case,
        f"{case}?unfold={top.pk}",
        f"{case}?decide={top.pk}&verdict_as=blocked",
        f"{case}?decide={decided.pk}&verdict_as=allowed",
        f"{case}?q=nowhere&verdict=blocked",
        f"{case}decisions/",
        f"{case}values/{top.pk}/",
        f"{case}values/{decided.pk}/",
        f"{case}?port=many&devices=2&sort=-devices",
        f"{case}?by=domain&open=contoso-update.example",
        "/values/?value=cdn.contoso-update.example",
        "/values/?value=203.0.113.88",
        "/values/?value=nobody.example",
        "/values/",
    ]


def complaints(page: Page) -> list[str]:
    found: dict[str, Any] = Axe().run(page, options={"runOnly": TAGS, "resultTypes": ["violations"]}).response
    return [
        f"{page.url}: {each['id']}: {node['html'][:200]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_has_no_complaint(
    signed_in: Page, world: World, scheme: Literal["light", "dark"], width: int
) -> None:
    signed_in.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    signed_in.set_viewport_size({"width": width, "height": 900})
    found = []
    for address in addresses(world):
        signed_in.goto(address)
        found += complaints(signed_in)
    assert found == []


def test_axe_has_no_complaint_about_what_opens(signed_in: Page, world: World) -> None:
    page = signed_in
    # Half-way through its fading in, a toast has less contrast than it has.
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"/cases/{world.case.pk}/")
    page.locator("[data-row]").first.focus()
    page.keyboard.press("o")
    expect(page.locator("#panel h2")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    found = complaints(page)
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.get_by_label("Reason").fill("On the vendor's list")
    page.keyboard.press("Enter")
    expect(page.locator("[data-toast]")).to_be_visible()
    assert found + complaints(page) == []


def test_axe_has_no_complaint_about_the_sign_in_page(page: Page) -> None:
    page.goto("/sign-in")
    found = complaints(page)
    page.get_by_label("Name").fill("nobody")
    page.get_by_label("Password").fill("nothing")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert found + complaints(page) == []


def test_no_page_is_wider_than_the_window(signed_in: Page, world: World) -> None:
    too_wide = []
    for width in WIDTHS:
        signed_in.set_viewport_size({"width": width, "height": 800})
        for address in addresses(world):
            signed_in.goto(address)
            if signed_in.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            ):
                too_wide.append((width, address))
    assert too_wide == []


def test_values_keep_their_domain_and_are_text(signed_in: Page, world: World) -> None:
    for width in (1440, 1000, 390):
        signed_in.set_viewport_size({"width": width, "height": 800})
        signed_in.goto(f"/cases/{world.case.pk}/")
        domain = signed_in.locator(".dom", has_text="some-long-company-name.example")
        assert domain.evaluate("element => element.scrollWidth <= element.clientWidth"), width
        box, cell = domain.bounding_box(), signed_in.locator(".c-subj.subj", has=domain).bounding_box()
        assert box is not None
        assert cell is not None
        assert box["x"] + box["width"] <= cell["x"] + cell["width"] + 1, width
    expect(signed_in.get_by_text("<img src=x onerror=document.title='run'>")).to_be_visible()
    assert signed_in.locator("main img").count() == 0
    assert "Who does it talk to?" in signed_in.title()


def test_the_theme_of_the_person_wins_over_the_system(signed_in: Page, world: World) -> None:
    type(world.rui).objects.filter(pk=world.rui.pk).update(theme="dark")
    signed_in.emulate_media(color_scheme="light")
    signed_in.goto("/")
    assert signed_in.evaluate("getComputedStyle(document.body.parentElement).colorScheme") == "dark"
