"""The house that the tests of all pages walk through has each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import resolve

from footprint.accounts.models import Role
from tests.cases.watchlists.worlds import allow_lab
from tests.desk.test_routes import ROUTES
from tests.furnished import House, furnished
from tests.lab.server import Lab
from tests.roles import client_with

# Parts of a page, files, and what programs ask.
NO_PAGES = {
    *("healthz", "feed", "watchlist-download", "case-report-markdown", "intake-lines", "bad-lines"),
    *("intake-progress", "case-batch-progress", "run-progress", "source-probe", "ledger-verification"),
    *("case-changes", "case-settling", "case-domain", "case-row", "case-look", "case-preflight"),
    *("inbox-case", "inbox-proposal", "inbox-decision", "upload"),
}
# Seen by other tests, which also bring about what they show.
ELSEWHERE = {"sign-in", "import-remove", "source-test"}


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch, db: None, valkey: object) -> Iterator[House]:
    allow_lab(monkeypatch)
    with Lab(token="lab") as lab:
        yield furnished(lab)


def takes_no_get(client: Client, address: str) -> bool:
    path = f"/{address}".replace("<int:", "<").replace("<slug:", "<").replace("<str:", "<")
    while "<" in path:
        before, _, rest = path.partition("<")
        path = f"{before}1{rest.partition('>')[2]}"
    return client.get(path).status_code == 405


def test_every_page_is_in_the_house(house: House) -> None:
    shown = {resolve(address.partition("?")[0]).url_name for _, address in house.pages.values()}
    clients = [client_with(role) for role in (Role.LEAD, Role.ADMINISTRATOR, Role.AUDITOR)]
    missing = [
        route.name
        for address, route in ROUTES.items()
        if route.name not in shown | NO_PAGES | ELSEWHERE
        and not any(takes_no_get(client, address) for client in clients)
    ]
    assert missing == []
