from __future__ import annotations

from playwright.sync_api import Browser, expect

from cases.models import CaseValue, Decision
from tests.browser.conftest import World, sign_in
from tests.cases.world import decide_on, verdict_of
from tests.house import LiveSite


def test_allow_block_conflict_and_undo(chromium: Browser, live_site: LiveSite, world: World) -> None:
    with chromium.new_context(base_url=live_site.url, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, "rui")
        page.goto(f"/cases/{world.case.pk}/")

        page.get_by_role("link", name="Allow cdn.contoso-update.example").focus()
        page.keyboard.press("Enter")
        page.get_by_label("Reason").fill("On the vendor's list")
        page.locator("[data-editor] button").click()
        expect(page.get_by_text("Allowed cdn.contoso-update.example in this case.")).to_be_visible()
        assert verdict_of(world.case, "cdn.contoso-update.example") == "allowed"

        page.locator("[data-toast]").get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Undone: cdn.contoso-update.example is undecided again.")).to_be_visible()

        blocked = CaseValue.objects.get(case=world.case, value="198.51.100.77")
        page.goto(f"/cases/{world.case.pk}/?q=198&decide={blocked.pk}&verdict_as=blocked")
        page.get_by_label("Reason").fill("Command channel")
        decide_on(world.ana, world.case, "198.51.100.77", "allowed", reason="A scanner of ours")
        page.locator("[data-editor] button").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Ana Costa allowed this")
        page.get_by_role("button", name="Save mine instead").click()
        expect(page.get_by_text("Blocked 198.51.100.77 everywhere.")).to_be_visible()
        assert page.url.endswith("?q=198")
        assert Decision.objects.in_force().get(subject="198.51.100.77").reason == "Command channel"

        page.get_by_role("link", name="Unfold 198.51.100.77: 1 pair").click()
        expect(page.locator("[data-pair]")).to_have_count(1)
        page.get_by_role("link", name="198.51.100.77", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("198.51.100.77")
