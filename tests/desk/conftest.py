from __future__ import annotations

import pytest
from django.test import Client

from footprint.accounts.models import Person, Role


@pytest.fixture
def rui(db: None) -> Person:
    """A reviewer who can sign in."""
    return Person.objects.create_user(
        "rui", password="a long enough word", first_name="Rui", last_name="Alves", role=Role.REVIEWER
    )


@pytest.fixture
def site(client: Client, rui: Person) -> Client:
    client.force_login(rui)
    return client
