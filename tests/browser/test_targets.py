"""The pages of targets: nothing axe objects to, nothing wider than the window, and one target by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from cases.watchlists.models import Receipt, Reconciliation, Target, Watchlist
from footprint.accounts.models import Role
from tests.browser.conftest import World, person, sign_in
from tests.browser.test_looks import WIDTHS, complaints
from tests.cases.watchlists.targets.places import WHERE
from tests.cases.watchlists.worlds import allow_lab, reconcile
from tests.lab.server import Lab

TARGETS = "/watchlists/all-blocks/targets/"
LONG = "a-label-that-goes-on.and-on.some-long-company-name.and-more-of-it.example"
WORDS = {
    "accepted": "",
    "pending": "waits: this month's changes are used up",
    "refused": "InvalidDomainName",
    "withdrawn": "",
    "drifted": "changed by hand: Verdict is “allowed”",
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(token="lab") as lab:
        yield lab


@pytest.fixture
def lead(page: Page, world: World) -> Page:
    person("lea", "Lea Moser", Role.LEAD)
    sign_in(page, "lea")
    return page


@pytest.fixture
def target(world: World) -> Target:
    """In trouble, with a receipt of every state and a dry run."""
    now = timezone.now()
    made = Target.objects.create(
        slug="soc",
        title="SOC workspace",
        watchlist=Watchlist.objects.get(slug="all-blocks"),
        kind="sentinel",
        options=WHERE,
        credential="managed_identity",
        made_at=now,
        stand="trouble",
        trouble="Sentinel asks for a pause of 30 seconds. “SubscriptionRequestsThrottled”",
        trouble_since=now - timedelta(hours=2),
        not_before=now + timedelta(minutes=1),
        items_ours=812,
        items_others=3,
        seen=1,
    )
    for number, (state, words) in enumerate(WORDS.items(), 1):
        Receipt.objects.create(
            target=made,
            kind="name",
            value=f"{number}.{LONG}",
            decision_number=number,
            key=str(number),
            state=state,
            words=words,
            since=now,
            accepted_at=now,
        )
    Reconciliation.objects.create(
        target=made,
        number=1,
        is_dry_run=True,
        began_at=now,
        ended_at=now,
        ended="behind",
        added=1,
        beyond=2,
        plan=[["add", f"name {LONG}", ""], ["refuse", "network 9.9.9.0/24", "a network"]],
    )
    return made


def addresses(target: Target) -> list[str]:
    of = f"{TARGETS}{target.slug}/"
    return [
        TARGETS,
        of,
        f"{of}?state=refused",
        f"{of}?q=nothing-like-it",
        f"{of}edit/",
        f"{of}looks/{target.reconciliations.get().pk}/",
        f"{TARGETS}new/sentinel/",
        f"{TARGETS}new/defender/",
        "/watchlists/all-blocks/left-out/defender-csv/",
        "/",
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390)])
def test_axe_has_no_complaint(lead: Page, target: Target, scheme: str, width: int) -> None:
    lead.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # one of the two
    lead.set_viewport_size({"width": width, "height": 900})
    found = []
    for address in addresses(target):
        lead.goto(address)
        found += complaints(lead)
    assert found == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_window(lead: Page, target: Target, width: int) -> None:
    lead.set_viewport_size({"width": width, "height": 800})
    for address in addresses(target):
        lead.goto(address)
        wide = lead.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, address


def test_a_lead_adds_a_target_looks_at_its_dry_run_and_lets_it_go(
    lead: Page, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow_lab(monkeypatch)
    assert settings.FOOTPRINT.allow_http_sources
    page = lead
    page.goto("/watchlists/all-blocks/")
    page.get_by_role("button", name="Publish now").click()
    page.get_by_role("link", name="Targets").click()
    page.get_by_role("link", name="Defender indicators").click()
    page.get_by_label("Name", exact=True).fill("Contoso tenant")
    page.get_by_label("Short name").fill("tenant")
    page.get_by_label("Signs in with").select_option("token")
    page.get_by_label("Variable").fill("LAB_TOKEN")
    page.get_by_text("For sovereign clouds").click()
    page.get_by_label("Endpoint").fill(lab.url)
    page.get_by_role("button", name="Add the target").click()
    expect(page.get_by_text("A worker is at it.")).to_be_visible()
    added = Target.objects.get()
    look = reconcile(added)
    assert look.is_dry_run
    page.reload()
    page.locator("table", has_text="dry run").get_by_role("link").first.click()
    expect(page.get_by_text("not a public address: Defender refuses those")).to_be_visible()
    assert lab.defender.indicators == {}
    page.goto(f"{TARGETS}tenant/")
    page.get_by_role("button", name="Resume").click()
    reconcile(added)
    page.reload()
    expect(page.get_by_role("cell", name="refused", exact=True)).to_be_visible()
