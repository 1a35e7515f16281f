"""A long queue behind the server that production has, and live updates that are not answered any more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page, Route, expect

from cases.batches.actions import confirm
from cases.models import Case, CaseValue
from footprint.accounts.models import Person
from tests.browser.conftest import World, sign_in
from tests.browser.test_live import look, open_queue
from tests.cases.batches.bulk import drafted, worked
from tests.cases.world import decide_on, merge_and_settle, row
from tests.house import FreshDatabase, Processes, start_gunicorn

STOPPED = "Live updates stopped."


def fill_with_decided(case: Case, by: Person, values: int) -> None:
    """So late in the life of a database that the ids of its decisions are long."""
    merge_and_settle(case, *(row(dns=f"n{n:03}.example", file="updater.exe") for n in range(values)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('cases_decision', 'id'), 123456789012)")
        cursor.execute("SELECT setval(pg_get_serial_sequence('cases_endpoint', 'id'), 123456789012)")
    worked(confirm(actor=by, batch=drafted(by, case, *(f"n{n:03}.example" for n in range(values)))))


@pytest.fixture
def behind_gunicorn(
    chromium: Browser, fresh_database: FreshDatabase, processes: Processes, stylesheet: None, world: World
) -> Iterator[Page]:
    fill_with_decided(world.case, world.ana, 260)
    site = start_gunicorn(processes, fresh_database)
    with chromium.new_context(base_url=site.url, viewport={"width": 1440, "height": 900}) as context:
        context.set_default_timeout(15_000)
        page = context.new_page()
        sign_in(page, "rui")
        yield page


def test_many_decided_rows_are_asked_for_within_what_the_server_takes(
    behind_gunicorn: Page, world: World
) -> None:
    page = behind_gunicorn
    page.goto(f"/cases/{world.case.pk}/?verdict=blocked")
    for rows in (100, 150, 200, 250):
        page.get_by_role("link", name="Next 50").click()
        expect(page.locator("[data-row]")).to_have_count(rows)
    middle = page.locator("[data-row]").nth(125)
    value = CaseValue.objects.get(pk=middle.get_attribute("data-row") or 0)
    middle.focus()
    decide_on(world.rui, world.case, value.value, "allowed", scope="case")
    with page.expect_response(lambda response: "/changes" in response.url) as asked:
        look(page)
    assert asked.value.status == 200
    assert len(asked.value.url) > 3000
    expect(page.locator(f'[data-row="{value.pk}"]')).to_contain_text("allowed")


def test_what_is_not_answered_several_times_says_that_it_is_not_live(signed_in: Page, world: World) -> None:
    page = signed_in
    open_queue(page, world)
    page.route("**/changes?*", lambda route: route.fulfill(status=414))
    with page.expect_response("**/changes?*"):
        look(page)
    expect(page.locator("#toasts")).not_to_contain_text(STOPPED)
    for _ in range(2):
        with page.expect_response("**/changes?*"):
            look(page)
    expect(page.locator("#toasts")).to_contain_text(STOPPED)
    page.unroute("**/changes?*")
    look(page)
    expect(page.locator("#toasts")).not_to_contain_text(STOPPED)


def test_a_server_that_is_gone_says_that_it_is_not_live(signed_in: Page, world: World) -> None:
    page = signed_in
    open_queue(page, world)

    def gone(route: Route) -> None:
        route.abort("connectionrefused")

    page.route("**/changes?*", gone)
    for _ in range(3):
        with page.expect_event("requestfailed"):
            look(page)
    expect(page.locator("#toasts")).to_contain_text(STOPPED)
