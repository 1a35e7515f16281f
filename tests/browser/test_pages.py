"""The pages around the queue: nothing axe objects to, nothing wider than the window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from footprint.ledger.models import Entry
from hunts.models import Coverage, Hunt, Run, Slice, Source
from tests.browser.conftest import World
from tests.browser.test_looks import WIDTHS, complaints
from tests.cases.world import decide_on

TODAY = datetime.now(UTC).date()
STATES = {3: "owed", 4: "partial", 5: "no telemetry", 6: "out of retention"}


@pytest.fixture
def runs(world: World) -> tuple[Run, Run]:
    """A run that ended in part, and one that goes on."""
    decide_on(world.rui, world.case, "cdn.contoso-update.example", scope="everywhere")
    hunt = Hunt.objects.create(case=world.case, source=Source.objects.get(slug="local"), opened_by=world.rui)
    hunt.files.set(world.case.files.all())
    days = {"hunt": hunt, "first_day": TODAY - timedelta(days=29), "last_day": TODAY, "opened_by": world.rui}
    reasons = ["6 Nov: The source took longer than 600 s."]
    ended = Run.objects.create(
        slot="1", state="partial", ended_at=timezone.now(), reasons=reasons, new_values=3, rows=90_000, **days
    )
    underway = Run.objects.create(slot="2", state="running", started_at=timezone.now(), **days)
    for back in range(30):
        day = TODAY - timedelta(days=back)
        Coverage.objects.create(hunt=hunt, day=day, state=STATES.get(back, "covered"), run=ended)
    for run, states in ((ended, ("done", "failed")), (underway, ("done", "asking", "waiting"))):
        for back, state in enumerate(states):
            day = TODAY - timedelta(days=back)
            Slice.objects.create(
                run=run,
                purpose="days" if back else "plan",
                file_kind="name",
                first_day=day,
                last_day=day,
                state=state,
                started_at=timezone.now(),
                said="429 Too Many Requests" if state == "failed" else "",
                kql='DeviceNetworkEvents\n| where InitiatingProcessFileName in~ ("updater.exe") // why' * 3,
                bytes=6_100_000,
            )
    return ended, underway


def addresses(world: World, runs: tuple[Run, Run]) -> list[str]:
    ended, underway = runs
    case = f"/cases/{world.case.pk}/"
    return [
        "/cases/",
        "/cases/?q=nothing-like-it",
        "/cases/new/",
        f"{case}runs/",
        f"{case}runs/{ended.pk}/",
        f"{case}runs/{underway.pk}/",
        f"{case}kql/",
        f"{case}decisions/",
        "/sources/",
        "/watchlists/",
        "/watchlists/all-blocks/",
        "/watchlists/all-allows/",
        "/ledger/",
        f"/ledger/{Entry.objects.latest('seq').seq}/",
        "/ledger/?q=nothing-like-it",
        "/account/",
        "/nothing/here",
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390)])
def test_axe_has_no_complaint(
    signed_in: Page, world: World, runs: tuple[Run, Run], scheme: Literal["light", "dark"], width: int
) -> None:
    signed_in.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    signed_in.set_viewport_size({"width": width, "height": 900})
    found = []
    for address in addresses(world, runs):
        signed_in.goto(address)
        found += complaints(signed_in)
    assert found == []


def test_axe_has_no_complaint_about_a_form_full_of_mistakes(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto("/cases/new/")
    page.get_by_label("Files").fill(f"C:\\a.exe\n\x07\nupdater.exe\nUPDATER.exe\n/b.exe\n{'a' * 64}")
    page.get_by_label("Look back").fill("yesterday")
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_text("Give the case a title.")).to_be_visible()
    assert complaints(page) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_window(
    signed_in: Page, world: World, runs: tuple[Run, Run], width: int
) -> None:
    signed_in.set_viewport_size({"width": width, "height": 800})
    for address in addresses(world, runs):
        signed_in.goto(address)
        wide = signed_in.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, address


def test_the_text_that_was_sent_is_copied_as_it_is(
    signed_in: Page, world: World, runs: tuple[Run, Run]
) -> None:
    page = signed_in
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/cases/{world.case.pk}/runs/{runs[0].pk}/")
    page.locator("#sent").get_by_role("button", name="Copy").click()
    expect(page.locator("#live")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == runs[0].slices.get(state="done").kql


def test_the_strip_ends_and_offers_what_is_new_without_moving_the_page(
    signed_in: Page, world: World, runs: tuple[Run, Run]
) -> None:
    page = signed_in
    page.goto(f"/cases/{world.case.pk}/")
    strip = page.locator("#run-progress")
    expect(strip).to_contain_text(f"Run {runs[1].pk}")
    top = page.locator("[data-row]").first.bounding_box()
    Run.objects.filter(pk=runs[1].pk).update(
        state="complete", ended_at=timezone.now(), new_values=41, rows=500, version=9
    )
    expect(strip).to_contain_text("is complete: 41 new values")
    assert page.locator("[data-row]").first.bounding_box() == top
    strip.get_by_role("link", name="Show them").click()
    expect(strip).to_have_count(0)


def test_a_run_follows_itself_and_keeps_the_focus(
    signed_in: Page, world: World, runs: tuple[Run, Run]
) -> None:
    page = signed_in
    underway = runs[1]
    page.goto(f"/cases/{world.case.pk}/runs/{underway.pk}/")
    page.locator("#run-cancel").focus()
    Slice.objects.filter(run=underway).update(state="done", ended_at=timezone.now())
    Run.objects.filter(pk=underway.pk).update(rows=584_678, version=1)
    expect(page.locator("#run")).to_contain_text("584,678 rows")
    expect(page.locator("#run-cancel")).to_be_focused()
    Run.objects.filter(pk=underway.pk).update(state="complete", ended_at=timezone.now(), version=2)
    expect(page.locator("#run-list")).to_contain_text("complete")
    expect(page.locator("#run")).not_to_have_attribute("data-poll", "")


def test_names_are_told_while_they_are_typed(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto("/cases/new/")
    page.get_by_label("Files").press_sequentially("updater.exe\n/usr/bin/x")
    told = page.locator("#files-told")
    expect(told).to_contain_text(f"updater.exe is already hunted in case {world.case.pk}")
    told.get_by_role("button", name="Use x instead").click()
    expect(page.get_by_label("Files")).to_have_value("updater.exe\nx")


def test_enter_in_the_title_opens_the_case_and_mends_nothing(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto("/cases/new/")
    page.get_by_label("Files").fill("/usr/bin/x")
    page.get_by_label("Title").fill("A title")
    page.get_by_label("Title").press("Enter")
    expect(page.get_by_text("One line cannot be asked for.")).to_be_visible()
    expect(page.get_by_label("Files")).to_have_value("/usr/bin/x")
