"""The links of the rails are drawn once for each place that the site is served at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import get_script_prefix, set_script_prefix

from footprint.desk.nav_links import bottombar_link, rail_link


@pytest.fixture
def moved() -> Iterator[None]:
    """What was drawn at the root is not drawn again for a site below it."""
    before = get_script_prefix()
    for link in (rail_link, bottombar_link):
        link("inbox", "Inbox", "inbox", is_current=False)
    set_script_prefix("/below/")
    yield
    set_script_prefix(before)


def test_the_links_follow_the_place_of_the_site(moved: None) -> None:
    for link in (rail_link, bottombar_link):
        assert 'href="/below/' in link("inbox", "Inbox", "inbox", is_current=False)
