from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from footprint.accounts.models import Role
from footprint.ledger.models import Entry
from tests.roles import person_with


def test_a_new_role_stands_in_the_ledger_with_the_old_one(db: None):
    person = person_with(Role.READER, "rui")
    call_command("set_role", "rui", "reviewer", reason="Joined the team")
    person.refresh_from_db()
    entry = Entry.objects.get()
    assert (person.role, entry.event, entry.reason) == (
        "reviewer",
        "accounts:role:changed",
        "Joined the team",
    )
    assert (entry.content["before"], entry.content["after"]) == ({"role": "reader"}, {"role": "reviewer"})


def test_the_same_role_again_changes_nothing(db: None):
    person_with(Role.READER, "rui")
    call_command("set_role", "rui", "reader")
    assert not Entry.objects.exists()


def test_the_last_administrator_stays_one(db: None):
    person_with(Role.ADMINISTRATOR, "ada")
    with pytest.raises(CommandError, match="last administrator"):
        call_command("set_role", "ada", "reader")
    person_with(Role.ADMINISTRATOR, "eve")
    call_command("set_role", "ada", "reader")


def test_nobody_has_no_role(db: None):
    with pytest.raises(CommandError, match="nobody called"):
        call_command("set_role", "nobody", "reader")
