"""An upload in a real browser: piece by piece, and on after a reload."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from footprint.accounts.models import Role
from footprint.ledger.record import Actor
from hunts.importing import import_upload
from hunts.models import Source, Upload
from hunts.source_actions import add_source
from hunts.uploads import PIECE_BYTES
from tests.browser.conftest import person, sign_in
from tests.house import FreshDatabase
from tests.hunts.telemetry_lines import days_ago, event, write_lines


@pytest.fixture
def source(fresh_database: FreshDatabase, tmp_path: Path) -> Source:
    person("lea", "Lea Moser", Role.LEAD)
    return add_source(actor=Actor.command("tests"), slug=f"b{abs(hash(tmp_path))}", kind="local")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Between three and four pieces long."""
    long = "x" * 3500
    events = [
        event("a.exe", days_ago(1, minute=number % 60), "203.0.113.1", InitiatingProcessCommandLine=long)
        for number in range(1_000)
    ]
    path = write_lines(tmp_path / "may.jsonl", events)
    assert 3 * PIECE_BYTES < path.stat().st_size < 4 * PIECE_BYTES
    return path


def choose(page: Page, export: Path) -> None:
    page.set_input_files("#upload-files", export)
    page.get_by_role("button", name="Upload and import").click()


def test_an_upload_goes_on_after_a_reload_where_it_stopped(page: Page, source: Source, export: Path) -> None:
    sign_in(page, "lea")
    asked: list[str] = []

    def stop_at_the_third(route: Route) -> None:
        asked.append(route.request.url.rpartition("/")[2])
        if len(asked) == 3:
            route.fulfill(status=403, body="")
        else:
            route.continue_()

    page.goto(f"/sources/{source.slug}/")
    page.route("**/uploads/*/1/*", stop_at_the_third)
    choose(page, export)
    page.get_by_text("You may not upload here").wait_for()
    [upload] = Upload.objects.all()
    assert upload.files.get().received == 2 * PIECE_BYTES

    page.goto(f"/sources/{source.slug}/uploads/{upload.pk}/")
    page.get_by_text("they go on where they stopped").wait_for()
    choose(page, export)
    page.get_by_text("It waits for a worker").wait_for()
    import_upload(upload.pk, "a worker")
    page.get_by_text("New rows").wait_for()

    assert [int(offset) // PIECE_BYTES for offset in asked] == [0, 1, 2, 2, 3]
    upload.refresh_from_db()
    assert (Upload.objects.count(), upload.summary and upload.summary["new_rows"]) == (1, 1_000)


def test_what_is_refused_is_told_at_the_field(
    page: Page, source: Source, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hunts.uploads.most_bytes", lambda: 10)
    sign_in(page, "lea")
    page.goto(f"/sources/{source.slug}/")
    choose(page, export)
    page.get_by_text("one upload may have").wait_for()
    assert not Upload.objects.exists()
