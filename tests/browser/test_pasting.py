"""A long list pasted into the form that imports it."""

from __future__ import annotations

from playwright.sync_api import FilePayload, Page, expect

from cases.intakes.taking_in import LARGEST_BYTES
from cases.models import Intake
from tests.browser.conftest import World


def paste(page: Page, text: str) -> None:
    page.goto("/intakes/new/")
    # As a paste comes; letter by letter a browser takes long.
    page.get_by_label("Or paste it").evaluate(
        "(field, text) => { field.value = text; field.dispatchEvent(new Event('input', {bubbles: true})); }",
        text,
    )


def test_more_than_a_field_may_hold_goes_along_as_a_file(signed_in: Page, world: World) -> None:
    remark = f"# {'x' * 1_000}\n"
    paste(signed_in, f"{remark * 2_300}a.example\nb.example\n")
    signed_in.get_by_role("button", name="Read the list").click()
    signed_in.wait_for_url("**/intakes/*/")
    read = Intake.objects.get()
    assert (read.lines, read.asides, read.name) == (2, 2_300, "pasted.txt")


def test_what_is_too_large_stays_and_is_told_before_it_is_sent(signed_in: Page, world: World) -> None:
    remark = f"# {'x' * 100_000}\n"
    paste(signed_in, remark * (LARGEST_BYTES // 100_000 + 1))
    field = signed_in.get_by_label("Or paste it")
    signed_in.get_by_role("button", name="Read the list").click()
    expect(signed_in).to_have_url(signed_in.url)
    assert "a list has at most 10 MB" in field.evaluate("field => field.validationMessage")
    assert not Intake.objects.exists()


def test_a_chosen_file_stands_beside_a_long_paste_of_many_bytes(signed_in: Page, world: World) -> None:
    remark = "\u00e9" * 600_000
    paste(signed_in, f"# {remark}\na.example\n")
    file: FilePayload = {"name": "good.txt", "mimeType": "text/plain", "buffer": b"b.example\n"}
    signed_in.get_by_label("File", exact=True).set_input_files([file])
    field = signed_in.get_by_label("Or paste it")
    assert "take one of them" in field.evaluate("field => field.validationMessage")
    sent = "form => new FormData(form).get('file').name"
    assert signed_in.locator("form[data-largest]").evaluate(sent) == "good.txt"
