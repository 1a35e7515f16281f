from __future__ import annotations

from collections.abc import Iterator

import pytest

from cases.watchlists.models import Watchlist
from footprint.accounts.models import Person, Role
from tests.lab.server import Lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(token="lab") as lab:
        yield lab


@pytest.fixture
def blocks(db: None) -> Watchlist:
    return Watchlist.objects.get(slug="all-blocks")


@pytest.fixture
def lea(db: None) -> Person:
    return Person.objects.create_user("lea", password="a long enough word", role=Role.LEAD)


@pytest.fixture
def allows(db: None) -> Watchlist:
    return Watchlist.objects.get(slug="all-allows")


@pytest.fixture
def tom(db: None) -> Person:
    return Person.objects.create_user("tom", password="a long enough word", role=Role.LEAD)
