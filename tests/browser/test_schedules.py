"""Setting a schedule: its next times before it is saved, then pausing it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from hunts.models import Hunt, LookUp, Run, RunNews, Slice, Source
from tests.browser.conftest import World
from tests.browser.test_looks import complaints


@pytest.fixture
def hunt(world: World) -> Hunt:
    """A hunt with a run that told what is new, and an answered look-up."""
    source = Source.objects.get(slug="local")
    hunt = Hunt.objects.create(case=world.case, source=source, opened_by=world.rui)
    hunt.files.set(world.case.files.all())
    value = world.case.values.order_by("pk").first()
    assert value is not None
    days = {"first_day": value.strip_to, "last_day": value.strip_to}
    run = Run.objects.create(hunt=hunt, slot="1", state="complete", new_values=3, **days)
    Slice.objects.create(
        run=run, purpose="plan", file_kind="name", state="done", kql="DeviceNetworkEvents", **days
    )
    RunNews.objects.create(run=run, value=value, kind="new", day=value.strip_to)
    LookUp.objects.create(
        **{"case": world.case, "source": source, "asked_by": world.rui, "state": "done", **days},
        question="talkers",
        subject_kind=value.kind,
        subject=value.value,
        kql="DeviceNetworkEvents",
        rows=[
            {
                "Device": "lis-w-0001",
                "File": "a.exe",
                "Name": "",
                "Address": "203.0.113.7",
                "Events": 3,
                "FirstSeen": "2026-11-20T10:00:00+00:00",
                "LastSeen": "2026-11-20T10:00:00+00:00",
            }
        ],
    )
    return hunt


def test_a_schedule_shows_its_next_times_and_is_paused(signed_in: Page, hunt: Hunt) -> None:
    page = signed_in
    page.goto(f"/cases/{hunt.case_id}/runs/")
    page.get_by_role("link", name="Set a schedule").click()
    expect(page.get_by_text("Asked only when somebody presses")).to_be_visible()
    page.get_by_label("Ask", exact=True).select_option("days")
    page.get_by_label("At for days").fill("02:30")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    expect(page.locator("#next-times li")).to_have_count(5)
    expect(page.locator("#next-times li").first).to_contain_text("02:30")
    assert complaints(page) == []
    page.get_by_role("button", name="Save the schedule").click()
    expect(page.get_by_text("every day at 02:30 (Europe/Berlin)").first).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("paused by Rui Sousa")).to_be_visible()
    page.get_by_role("link", name="Hunts").first.click()
    expect(page.get_by_role("table", name="Hunts of open and watching cases")).to_contain_text("paused")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_pages_around_hunts_are_no_wider_than_the_window_and_axe_is_content(
    signed_in: Page, hunt: Hunt, width: int
) -> None:
    page = signed_in
    page.set_viewport_size({"width": width, "height": 844})
    run, look = Run.objects.get(hunt=hunt), LookUp.objects.get()
    case = f"/cases/{hunt.case_id}"
    addresses = [
        "/hunts/",
        f"/hunts/{hunt.pk}/schedule/",
        f"{case}/runs/{run.pk}/",
        f"{case}/runs/{run.pk}/news/new/",
        f"{case}/look-ups/",
        f"{case}/look-ups/{look.pk}/",
    ]
    for address in addresses:
        page.goto(address)
        assert complaints(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
