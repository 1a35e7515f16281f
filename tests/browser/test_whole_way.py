"""The main job from sign-in to the ledger, with a real worker and real telemetry."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from django.core.management import call_command
from playwright.sync_api import Page, expect

from cases.models import Case, Decision
from footprint.accounts.models import Role
from footprint.ledger.checkpoints import public_hex
from footprint.ledger.keys import signing_key
from footprint.ledger.record import Actor
from hunts.adapters import store_of
from hunts.source_actions import add_source
from tests.browser.conftest import person, sign_in
from tests.footprint.ledger.kept import run_alone
from tests.house import Started
from tests.hunts.telemetry_lines import days_ago, event, fill

GOOD, BAD = "cdn.contoso-update.example", "198.51.100.77"


def add_telemetry(folder: Path) -> str:
    source = add_source(
        actor=Actor.command("tests"), slug=f"walk-{folder.parent.name[-8:]}", kind="local", title="Walk"
    )
    events = [event("updater.exe", days_ago(back), ip="203.0.113.24", dns=GOOD) for back in range(9)]
    events.append(event("update-helper.exe", days_ago(1), ip=BAD, RemotePort=4444))
    fill(store_of(source), folder, events)
    return source.title


def test_from_a_file_name_to_a_watchlist(page: Page, worker: Started, tmp_path: Path, settings) -> None:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"checkpoint_file": tmp_path / "checkpoints"})
    person("rui", "Rui Sousa", Role.REVIEWER)
    source = add_telemetry(tmp_path)
    sign_in(page, "rui")

    page.get_by_role("link", name="Cases").first.click()
    page.get_by_role("link", name="New case").click()
    # Typing before htmx is there would ask for nothing.
    page.wait_for_load_state()
    page.get_by_label("Title").fill("Updater beacons")
    page.get_by_label("Files").fill("updater.exe\nC:\\Tools\\update-helper.exe")
    page.get_by_role("button", name="Use update-helper.exe instead").click()
    page.get_by_label("Source", exact=True).select_option(source)
    page.get_by_role("button", name="Open the case").click()

    # The page follows its run by itself.
    expect(page.locator("#run-list")).to_contain_text("complete", timeout=60_000)
    # Today is not over, so it is covered in part.
    expect(page.locator("#coverage")).to_contain_text("8 complete")
    expect(page.locator("#coverage")).to_contain_text("1 partial")
    page.locator("#run").get_by_role("link", name="To the queue").click()
    page.wait_for_load_state()

    case = Case.objects.get()
    expect(page.locator("[data-row]")).to_have_count(2)
    allow_and_block_by_keyboard(page)
    expect(page.locator("#count-undecided")).to_have_text("0")
    page.keyboard.press("u")
    expect(page.locator("#count-undecided")).to_have_text("1")
    block_by_keyboard(page)
    assert set(Decision.objects.in_force().values_list("subject", "verdict")) == {
        (GOOD, "allowed"),
        (BAD, "blocked"),
    }

    page.get_by_role("link", name="Watchlists").first.click()
    page.get_by_role("link", name="All blocks", exact=True).click()
    page.get_by_text("Take the list away as it is now").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Plain text").click()
    assert waiting.value.suggested_filename == "all-blocks.txt"
    assert Path(waiting.value.path()).read_text() == f"{BAD}\n"

    page.goto(f"/ledger/?case={case.pk}")
    for words in ("opened the case", "finished", "decided", "withdrew a decision"):
        expect(page.locator("#entries")).to_contain_text(words)
    page.goto("/ledger/")
    expect(page.locator("#entries tbody tr").nth(1)).to_contain_text("downloaded")
    assert_proven(tmp_path)


def assert_proven(folder: Path) -> None:
    """What the browser did stands in a ledger that rebuilds the decisions and holds for both verifiers."""
    call_command("rebuild_decisions", "--check", stdout=StringIO())
    call_command("export_ledger", "--output", str(folder / "ledger.jsonl"), stdout=StringIO())
    call_command("verify_ledger", stdout=StringIO())
    code, said = run_alone(folder / "ledger.jsonl", "--key", public_hex(signing_key()))
    assert code == 0, said


def allow_and_block_by_keyboard(page: Page) -> None:
    page.locator("[data-row]", has_text=GOOD).focus()
    page.keyboard.press("a")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("On the vendor's list")
    page.keyboard.press("Enter")
    expect(page.locator("#count-undecided")).to_have_text("1")
    block_by_keyboard(page)


def block_by_keyboard(page: Page) -> None:
    page.locator("[data-row]", has_text=BAD).focus()
    page.keyboard.press("b")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("Command channel")
    page.keyboard.press("Enter")
    expect(page.locator("#count-undecided")).to_have_text("0")
