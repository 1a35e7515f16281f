"""A block from the case to a firewall's fetch and back; then PostgreSQL is stopped."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from playwright.sync_api import Page, expect

from cases.models import Decision
from cases.watchlists import feeds
from footprint.accounts.models import Role
from footprint.embedded import Hold, Home
from footprint.embedded.postgres import Postgres
from tests import house
from tests.browser.conftest import World, person, sign_in

VALUE = "telemetry.contoso-update.example"


@pytest.fixture
def own_servers(tmp_path: Path) -> Iterator[Hold]:
    """A PostgreSQL that only this test has: the others' goes on."""
    with Hold(Home(tmp_path / "own"), valkey=False, durable=False) as held:
        yield held


@pytest.fixture
def fresh_database(own_servers: Hold, servers: Home, django_db_blocker: Any) -> Iterator[house.FreshDatabase]:
    """In the PostgreSQL of this test."""
    host = connection.settings_dict["HOST"]
    connections.close_all()
    connection.settings_dict["HOST"] = own_servers.home.database()["HOST"]
    try:
        with django_db_blocker.unblock(), house.pointed_at("footprint"):
            call_command("migrate", verbosity=0, interactive=False)
            yield house.FreshDatabase("footprint", os.environ | {})
    finally:
        connections.close_all()
        connection.settings_dict["HOST"] = host


@pytest.fixture
def lead(page: Page, world: World) -> Page:
    person("lea", "Lea Moser", Role.LEAD)
    sign_in(page, "lea")
    return page


@pytest.fixture(autouse=True)
def own_feeds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process that has just started, with an empty disk and news at every fetch."""
    mine = feeds.Feeds(tmp_path / "feeds")
    monkeypatch.setattr("footprint.desk.views.feeds.feeds", lambda: mine)
    monkeypatch.setattr(feeds, "FRESH_SECONDS", 0.0)


def curl(site: house.LiveSite, token: str) -> str:
    command = ["curl", "--silent", "--fail", "--noproxy", "*", "--max-time", "20"]
    address = f"{site.url}/feeds/all-blocks/plain-text"
    fetched = subprocess.run(
        [*command, "--user", f"consumer:{token}", address],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    return fetched.stdout


def publish(page: Page) -> None:
    page.goto("/watchlists/all-blocks/")
    page.get_by_role("button", name="Publish now").click()
    expect(page.get_by_text("is published, with").first).to_be_visible()


def test_fault_40_the_feed_answers_while_postgresql_is_stopped(
    lead: Page, world: World, live_site: house.LiveSite, own_servers: Hold
) -> None:
    page = lead
    page.goto(f"/cases/{world.case.pk}/")
    page.locator("[data-row]", has_text=VALUE).focus()
    page.keyboard.press("b")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("Beacons")
    page.keyboard.press("Enter")
    house.wait_until(lambda: Decision.objects.in_force().filter(subject=VALUE, verdict="blocked").exists())
    publish(page)
    page.goto("/watchlists/all-blocks/feeds/")
    page.get_by_role("textbox", name="Name").fill("fw-lisbon")
    page.get_by_label("Format").select_option("plain-text")
    page.get_by_role("button", name="Add consumer").click()
    token = page.locator("#token").inner_text()
    assert VALUE in curl(live_site, token).splitlines()

    page.goto(f"/cases/{world.case.pk}/?verdict=blocked")
    page.locator("[data-row]", has_text=VALUE).focus()
    page.keyboard.press("u")
    house.wait_until(lambda: not Decision.objects.in_force().filter(subject=VALUE).exists())
    publish(page)
    after = curl(live_site, token)
    assert VALUE not in after.splitlines()
    assert after.splitlines() == ["203.0.113.88"]

    connections.close_all()
    Postgres(own_servers.home).stop()
    assert curl(live_site, token) == after
    assert own_servers.ensure() == ["PostgreSQL"]
    page.goto("/watchlists/all-blocks/")
    expect(page.get_by_role("heading", name="All blocks")).to_be_visible()
