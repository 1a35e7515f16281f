"""Deciding in bulk in a browser: 50,000 values by keyboard, progress, undo; and without a script."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from playwright.sync_api import Browser, Page, expect

from cases.models import Batch, Case, CaseValue, Decision
from tests.browser.conftest import World, sign_in
from tests.cases.batches.bulk import worked
from tests.cases.world import verdict_of
from tests.conftest import StartWorker
from tests.house import LiveSite

MANY = 50_000
PATIENCE = 250_000

_ENDPOINTS = """
    INSERT INTO cases_endpoint (case_id, file_id, key, dns, value, value_kind, raw_ips, raw_names,
        first_seen, last_seen, devices, ports, actions, accounts, hashes, folders, publishers, parents,
        command_lines, more, settled, name_verdict, address_verdict, verdict)
    SELECT %(case)s, %(file)s, md5('bulk' || n)::uuid, name, name, 'name', '{}', ARRAY[name], now(), now(),
           '{lis-w-1}', '{443}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', true, 'undecided',
           'undecided', 'undecided'
      FROM (SELECT n, 'h' || n || '.bulk.example' AS name FROM generate_series(1, %(many)s) n) made
"""
_VALUES = """
    INSERT INTO cases_casevalue (case_id, value, kind, domain, verdict, is_open, endpoints, undecided,
        allowed, blocked, files, file_ids, addresses, devices, devices_more, ports, ports_more, events, days,
        first_seen, last_seen, strip, strip_to, added_at, version)
    SELECT case_id, value, 'name', 'bulk.example', 'undecided', true, 1, 1, 0, 0, 1, ARRAY[file_id], 0, 1,
           false, '{443}', false, 1, 1, first_seen, last_seen, array_fill(0::bigint, ARRAY[30]), current_date,
           now(), 0
      FROM cases_endpoint WHERE case_id = %(case)s AND value LIKE '%%.bulk.example'
"""


def fill(case: Case) -> None:
    file = case.files.order_by("pk")[0]
    with connection.cursor() as cursor:
        asked = {"case": case.pk, "file": file.pk, "many": MANY}
        cursor.execute(_ENDPOINTS, asked)
        cursor.execute(_VALUES, asked)
        cursor.execute("ANALYZE cases_endpoint, cases_casevalue")


@pytest.mark.timeout(600)
def test_a_filter_of_50_000_values_is_blocked_by_keyboard_and_undone(
    signed_in: Page, world: World, start_worker: StartWorker
) -> None:
    page = signed_in
    fill(world.case)
    start_worker()
    page.goto(f"/cases/{world.case.pk}/?q=bulk.example")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.keyboard.press("*")
    page.wait_for_url("**select=all**")
    page.keyboard.press("j")
    page.keyboard.press("b")
    page.keyboard.type("Beacon names of one family")
    page.keyboard.press("Enter")
    page.wait_for_url("**/batches/*/")
    expect(page.get_by_role("heading", name="Block 50,000 values everywhere?")).to_be_visible()
    assert not Decision.objects.filter(reason="Beacon names of one family").exists()
    page.get_by_role("button", name="Block 50,000 values").press("Enter")
    bar = page.locator("#batch-progress")
    expect(bar.locator("progress")).to_be_visible()
    expect(bar.get_by_text("Done", exact=True)).to_be_visible(timeout=PATIENCE)
    blocked = CaseValue.objects.filter(case=world.case, domain="bulk.example", verdict="blocked")
    assert blocked.count() == MANY

    page.get_by_role("button", name="Undo all of it").click()
    expect(bar.get_by_text("Undone", exact=True)).to_be_visible(timeout=PATIENCE)
    assert not blocked.exists()


def test_the_draft_and_the_batch_have_no_faults_axe_knows(signed_in: Page, world: World) -> None:
    page = signed_in
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(f"/cases/{world.case.pk}/?select=all")
        assert not Axe().run(page).violations_count
        page.get_by_label("Why, for all of them").fill("Vendor")
        page.locator("#bulk").get_by_role("button", name="Block").click()
        page.wait_for_url("**/batches/*/")
        assert not Axe().run(page).violations_count
        page.get_by_role("button", name="Block 7 values").click()
        worked(Batch.objects.latest("pk"))
        page.reload()
        assert not Axe().run(page).violations_count


def test_without_a_script_ticked_values_are_blocked(
    chromium: Browser, live_site: LiveSite, world: World
) -> None:
    with chromium.new_context(base_url=live_site.url, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, "rui")
        page.goto(f"/cases/{world.case.pk}/")
        expect(page.locator("#bulk")).to_be_hidden()
        page.get_by_label("Select telemetry.contoso-update.example").check()
        page.get_by_label("Why, for all of them").fill("Telemetry of the vendor")
        page.locator("#bulk").get_by_role("button", name="Block").click()
        page.get_by_role("button", name="Block 1 value").click()
        worked(Batch.objects.get())
        page.get_by_role("link", name="Refresh").click()
        expect(page.get_by_text("Done", exact=True)).to_be_visible()
    assert verdict_of(world.case, "telemetry.contoso-update.example") == "blocked"
