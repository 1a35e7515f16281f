from __future__ import annotations

import pytest
from django.test import Client

from footprint.accounts.models import Person, Role


@pytest.fixture
def site(client: Client, rui: Person) -> Client:
    """The site as Rui, a reviewer, sees it."""
    client.force_login(rui)
    return client


@pytest.fixture
def rita(db: None) -> Person:
    return Person.objects.create(username="rita", first_name="Rita", role=Role.READER)


@pytest.fixture
def reading(rita: Person) -> Client:
    """The site as Rita, a reader, sees it."""
    client = Client()
    client.force_login(rita)
    return client
