"""A case edited, closed, noted and reported, in a real browser, also without JavaScript and on paper."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from cases.case_actions import CaseFacts, edit_case
from cases.models import Case, Note
from cases.note_actions import add_note, remove_note
from cases.state_actions import change_state
from footprint.ledger.models import Entry
from hunts.models import Run
from tests.browser.conftest import World, sign_in
from tests.browser.test_looks import WIDTHS, complaints
from tests.browser.test_pages import runs  # noqa: F401  # a fixture
from tests.house import LiveSite

NOTE = (
    "# Beacon\n\n*Every* 60 s, see [the vendor](https://contoso.example/).\n\n| a | b |\n|---|---|\n| 1 | 2 |"
)


@pytest.fixture
def lived(world: World, runs: tuple[Run, Run]) -> World:  # noqa: F811  # the fixture
    """The case with everything that a case can say of itself, and notes."""
    facts = CaseFacts(
        title=world.case.title,
        why="The updater calls hosts that it never called before.",
        owner=world.rui,
        assignee=world.ana,
        severity=3,
        tlp="amber+strict",
        tags=("a-campaign-with-a-long-name-of-its-own", "beacon"),
    )
    edit_case(actor=world.rui, case=world.case, version=world.case.version, facts=facts)
    add_note(actor=world.rui, case=world.case, text=NOTE)
    remove_note(
        actor=world.ana, note=add_note(actor=world.ana, case=world.case, text="Wrong host"), version=1
    )
    case = Case.objects.get(pk=world.case.pk)
    change_state(actor=world.ana, case=case, version=case.version, state="watching", reason="Waits for them")
    return world


def addresses(world: World) -> list[str]:
    case = f"/cases/{world.case.pk}/"
    return [
        "/",
        case,
        f"{case}edit/",
        f"{case}state/?to=closed",
        f"{case}notes/",
        f"{case}notes/{Note.objects.earliest('pk').pk}/",
        f"{case}report/?notes=1",
        "/week/",
        "/cases/?state=all",
        "/cases/?state=all&severity=high&tag=beacon&sort=severity",
        "/cases/?whose=assigned&state=watching&q=nothing",
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_has_no_complaint(
    signed_in: Page, lived: World, scheme: Literal["light", "dark"], width: int
) -> None:
    signed_in.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    signed_in.set_viewport_size({"width": width, "height": 900})
    found = []
    for address in addresses(lived):
        signed_in.goto(address)
        found += complaints(signed_in)
    assert found == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_window(signed_in: Page, lived: World, width: int) -> None:
    signed_in.set_viewport_size({"width": width, "height": 800})
    for address in addresses(lived):
        signed_in.goto(address)
        wide = signed_in.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, address


def test_a_case_is_taken_by_key_edited_and_closed(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto(f"/cases/{world.case.pk}/")
    page.locator("[data-row]").first.focus()
    page.keyboard.press("m")
    expect(page.get_by_text(f"Case {world.case.pk} is yours now.")).to_be_visible()

    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Severity").select_option("high")
    page.get_by_label("TLP").select_option("TLP:RED")
    page.get_by_label("Tags").fill("Beacon, blue fox")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".meta")).to_contain_text("TLP:RED")
    expect(page.get_by_role("link", name="blue fox")).to_be_visible()

    page.get_by_role("link", name="Close or watch").click()
    page.get_by_role("button", name="Save the state").click()
    expect(page.locator(".ferror")).to_contain_text("say why the case is closed all the same")
    assert complaints(page) == []
    page.get_by_label("Reason").fill("The same as case 3")
    page.get_by_role("button", name="Save the state").click()
    expect(page.get_by_text("1 block everywhere stays in force.")).to_be_visible()
    expect(page.get_by_text("The same as case 3")).to_be_visible()
    expect(page.get_by_role("button", name="Run now")).to_have_count(0)


def test_a_colleagues_save_stands_beside_what_i_typed(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto(f"/cases/{world.case.pk}/edit/")
    page.get_by_label("Why").fill("My words")
    facts = CaseFacts(world.case.title, "Her words", world.rui, None, 0, "", ())
    edit_case(actor=world.ana, case=world.case, version=world.case.version, facts=facts)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Ana Costa changed this case")
    expect(page.locator(".theirs")).to_contain_text("Her words")
    expect(page.get_by_label("Why")).to_have_value("My words")
    assert complaints(page) == []
    page.get_by_role("button", name="Save mine").click()
    expect(page.locator(".why")).to_have_text("My words")


def test_a_note_is_previewed_written_changed_and_removed(signed_in: Page, world: World) -> None:
    page = signed_in
    page.goto(f"/cases/{world.case.pk}/notes/")
    page.get_by_role("textbox", name="Note").fill(NOTE)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#note-preview em")).to_have_text("Every")
    expect(page.get_by_role("textbox", name="Note")).to_have_value(NOTE)
    assert not Note.objects.exists()

    page.get_by_role("button", name="Add the note").click()
    note = page.get_by_role("article")
    expect(note.get_by_role("heading", name="Beacon")).to_be_visible()
    note.get_by_role("link", name="Change").click()
    page.get_by_role("textbox", name="Note").fill("Every 90 s")
    page.get_by_role("button", name="Save the note").click()
    expect(note).to_contain_text("Every 90 s")
    expect(note).to_contain_text("changed")
    note.get_by_role("button", name="Remove").click()
    expect(note.locator("del")).to_have_text("Every 90 s")
    expect(note).to_contain_text("removed by Rui Sousa")


def test_the_report_is_downloaded_and_printed_without_what_is_around_it(
    signed_in: Page, lived: World
) -> None:
    page = signed_in
    page.goto(f"/cases/{lived.case.pk}/report/?notes=1")
    with page.expect_download() as download:
        page.get_by_role("link", name="Markdown").click()
    assert "TLP:AMBER+STRICT" in download.value.path().read_text()
    assert Entry.objects.filter(event="cases:report:downloaded").count() == 1

    page.emulate_media(media="print")
    expect(page.locator(".report")).to_be_visible()
    for around in (".rail", ".tabs", ".hints", ".filters", ".head"):
        expect(page.locator(around).first).to_be_hidden()
    # Nothing scrolls on paper: the page is as long as what is on it.
    cut = page.evaluate(
        "[...document.querySelectorAll('.scrolls, .main, .shell')]"
        ".filter((each) => each.scrollHeight > each.clientHeight + 1).length"
    )
    assert cut == 0


def test_all_of_it_works_without_javascript(chromium: Browser, live_site: LiveSite, world: World) -> None:
    with chromium.new_context(base_url=live_site.url, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, "rui")
        case = f"/cases/{world.case.pk}/"
        page.goto(case)
        page.get_by_role("button", name="Assign to me").click()
        expect(page.get_by_text("is yours now")).to_be_visible()
        page.goto(f"{case}notes/")
        page.get_by_role("textbox", name="Note").fill("*so*")
        page.get_by_role("button", name="Preview").click()
        expect(page.locator("#note-preview em")).to_have_text("so")
        page.get_by_role("button", name="Add the note").click()
        expect(page.get_by_role("article")).to_contain_text("so")
        page.goto(f"{case}state/?to=watching")
        page.get_by_label("watching").check()
        page.get_by_role("button", name="Save the state").click()
        expect(page.get_by_text("is watching: its hunts go on.")).to_be_visible()
        page.goto(f"{case}report/")
        expect(page.get_by_role("heading", name="What was decided")).to_be_visible()
        expect(page.get_by_role("button", name="Print")).to_be_hidden()
        page.goto("/week/")
        expect(page.get_by_role("heading", name="Who decided")).to_be_visible()
        assert Case.objects.get(pk=world.case.pk).state == "watching"


def test_on_a_phone_the_whole_why_is_read_once_the_head_is_opened(signed_in: Page, world: World) -> None:
    world.case.why = "A beacon was seen on many devices of the plant. " * 20
    world.case.save()
    signed_in.set_viewport_size({"width": 390, "height": 844})
    signed_in.goto(f"/cases/{world.case.pk}/")
    is_cut = "why => why.scrollHeight > why.clientHeight"
    assert signed_in.locator(".head .why").evaluate(is_cut)
    signed_in.locator(".head .fold-narrow > summary").click()
    assert not signed_in.locator(".head .why").evaluate(is_cut)
