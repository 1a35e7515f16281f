"""Nothing axe objects to, on any page of the site, in both themes; nothing wider than a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from django.conf import settings
from playwright.sync_api import Page

from footprint.accounts.models import Person, Role
from tests.browser.test_looks import complaints
from tests.cases.watchlists.worlds import allow_lab
from tests.furnished import House, furnished
from tests.house import LiveSite
from tests.lab.server import Lab
from tests.roles import client_of, person_with

# Each of the tests looks at so many of the pages.
SHARES = 8


@pytest.fixture
def house(live_site: LiveSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    allow_lab(monkeypatch)
    with Lab(token="lab") as lab:
        yield furnished(lab)


def be(page: Page, role: Role, site: LiveSite) -> None:
    person = Person.objects.filter(role=role).first() or person_with(role)
    name = settings.SESSION_COOKIE_NAME
    session = client_of(person).cookies[name].value
    page.context.add_cookies([{"name": name, "value": session, "url": site.url}])


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_has_no_complaint_about_any_page(
    page: Page, house: House, live_site: LiveSite, scheme: Literal["light", "dark"], width: int, share: int
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    found, too_wide = list[str](), list[str]()
    by_role = sorted(house.pages.items(), key=lambda each: each[1][0])
    is_now = None
    for name, (role, address) in by_role[share::SHARES]:
        if role != is_now:
            be(page, role, live_site)
            is_now = role
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, name
        found += complaints(page)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            too_wide.append(name)
    assert (found, too_wide) == ([], [])


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
@pytest.mark.parametrize(("picked", "reason"), [(False, "Beacons"), (True, "a\u202eb")])
def test_axe_has_no_complaint_about_a_selection_that_was_refused(
    page: Page,
    house: House,
    live_site: LiveSite,
    scheme: Literal["light", "dark"],
    width: int,
    picked: bool,
    reason: str,
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    be(page, Role.LEAD, live_site)
    page.goto(f"/cases/{house.case.pk}/")
    page.locator("[data-row] input[type=checkbox]").first.check()
    page.get_by_label("Why, for all of them").fill(reason)
    if not picked:
        page.locator("[data-row] input[name=value]").evaluate_all(
            "boxes => boxes.forEach(box => { box.removeAttribute('name'); })"
        )
    page.locator(".bulk").get_by_role("button", name="Block").click()
    page.get_by_role("heading", name="Block").wait_for()
    assert page.locator(".notice.is-block, .ferror").count() == 1
    assert complaints(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
