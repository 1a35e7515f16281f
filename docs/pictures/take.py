"""Takes the pictures of the documentation from a running demo: `make pictures` while `make demo` runs."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.fill("[name=username]", "lea")
    page.fill("[name=password]", "footprint-demo")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "sign-in" not in address)


def take_queue(page: Page) -> None:
    """The queue of the third demo case, with a block being decided."""
    page.goto("/cases/3/")
    page.focus("[data-row]")
    for key in "jjob":
        page.keyboard.press(key)
    page.wait_for_selector("textarea[name=reason]")
    page.fill("textarea[name=reason]", "Not a vendor of ours; first seen with the new script.")
    page.screenshot(path=str(FOLDER / "queue.png"))


def main(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(base_url=address, viewport={"width": 1440, "height": 900})
        sign_in(page)
        take_queue(page)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
