"""Known lists on their page, as a mark, and in the pre-flight beside the form."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import World
from tests.browser.test_looks import complaints
from tests.cases.known.lists import load, source

PAGE = "/known-lists/?value=203.0.113.24"


@pytest.fixture
def lists(world: World) -> None:
    load(
        source("partners", "*.contoso-update.example", "203.0.113.0/24", "no name at all"),
        source("a-name-that-goes-on-and-on-" + "x" * 60, "198.51.100.77", category="bad"),
    )


@pytest.mark.usefixtures("lists")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390), ("light", 320)])
def test_axe_has_no_complaint_and_the_page_fits(
    signed_in: Page, scheme: Literal["light", "dark"], width: int
) -> None:
    signed_in.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    signed_in.set_viewport_size({"width": width, "height": 900})
    signed_in.goto(PAGE)
    assert complaints(signed_in) == []
    assert signed_in.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.usefixtures("lists")
def test_the_preflight_comes_beside_the_form_and_follows_the_scope(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto(f"/cases/{world.case.pk}/")
    row = page.get_by_role("row").filter(has_text="cdn.contoso-update.example").first
    expect(row.get_by_text("known good: Partners")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("b")
    form = page.get_by_role("form", name="Block cdn.contoso-update.example")
    expect(form.get_by_text("Known good: Partners has *.contoso-update.example.")).to_be_visible()
    expect(form.get_by_text("Goes to all-blocks.")).to_be_visible()
    reason = form.get_by_label("Reason")
    expect(reason).to_be_focused()
    reason.fill("Typed before the scope changed")
    form.get_by_text("this case").first.click()
    expect(form.get_by_text("On no watchlist.")).to_be_visible()
    expect(reason).to_have_value("Typed before the scope changed")
    assert complaints(page) == []
