"""A lead adds a source, has it tested, reads what is wrong, mends it and tests again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from footprint.accounts.models import Role
from tests.browser.conftest import person, sign_in
from tests.browser.test_looks import complaints
from tests.conftest import StartWorker
from tests.hunts.parquet import write_parquet
from tests.lab.__main__ import WORKSPACE, some_events
from tests.lab.server import Lab

TOKEN = "a-token-of-the-lab"


@pytest.fixture
def lab(tmp_path: Path, settings: Any) -> Iterator[Lab]:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"allow_http_sources": True})
    with Lab([write_parquet(tmp_path / "lab.parquet", some_events())], token=TOKEN) as lab:
        yield lab


def test_a_source_is_added_tested_mended_and_tested_again(
    page: Page, lab: Lab, start_worker: StartWorker
) -> None:
    start_worker(FOOTPRINT_ALLOW_HTTP_SOURCES=1, LAB_TOKEN=TOKEN)
    person("lea", "Lea Lind", Role.LEAD)
    sign_in(page, "lea")

    page.get_by_role("link", name="Sources").first.click()
    page.get_by_role("link", name="Add a source").click()
    page.get_by_role("link", name="Log Analytics").click()
    page.get_by_label("Name", exact=True).fill("Sentinel lab")
    page.get_by_label("Short name").fill("lab")
    page.get_by_label("Workspace ID").fill("contoso")
    page.get_by_label("Signs in with").select_option("token")
    page.get_by_label("Variable").fill("NO_TOKEN")
    page.get_by_text("For sovereign clouds").click()
    page.get_by_label("Endpoint").fill(lab.url)
    page.get_by_role("button", name="Add the source").click()

    expect(page.locator("#id_workspace_error")).to_contain_text("named by its ID")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Sentinel lab")
    assert complaints(page) == []
    page.get_by_label("Workspace ID").fill(WORKSPACE)
    page.get_by_role("button", name="Add the source").click()

    # The page follows its test by itself.
    test = page.locator("#source-test")
    expect(test).to_contain_text("NO_TOKEN is not set", timeout=30_000)
    expect(test).to_contain_text("What to do:")
    assert complaints(page) == []

    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Variable").fill("LAB_TOKEN")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Test now").click()
    expect(test).to_contain_text("The oldest event is", timeout=30_000)
    expect(test.locator(".is-complete")).to_have_count(6)
    assert complaints(page) == []

    page.get_by_label("Why").fill("Moves to another tenant")
    page.get_by_role("button", name="Pause Sentinel lab").click()
    expect(page.get_by_text("Paused by Lea Lind")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Sentinel lab may be asked again.")).to_be_visible()
