from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from footprint.accounts.models import Person, Role
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


@pytest.mark.parametrize(
    ("command", "way"), [("changepassword", "give_password"), ("createsuperuser", "add_person")]
)
def test_no_command_changes_people_past_the_ledger(db: None, command: str, way: str):
    person_with(Role.ADMINISTRATOR, "ada")
    with pytest.raises(CommandError, match=way) as caught:
        call_command(command, *(["ada"] if command == "changepassword" else []))
    assert caught.value.returncode == 2
    assert Person.objects.count() == 1


def test_a_password_given_by_a_command_stands_in_the_ledger(db: None, capsys: pytest.CaptureFixture[str]):
    person = person_with(Role.READER, "rui")
    call_command("give_password", "rui", reason="Forgot it")
    person.refresh_from_db()
    assert person.check_password(capsys.readouterr().out.strip())
    assert person.must_choose_password
    entry = Entry.objects.get()
    assert (entry.event, entry.actor_name, entry.reason) == (
        "accounts:password:given",
        "command give_password",
        "Forgot it",
    )


def test_nobody_and_the_deactivated_are_given_no_password(db: None):
    Person.objects.create(username="off", is_active=False)
    for name, said in (("nobody", "nobody called"), ("off", "deactivated")):
        with pytest.raises(CommandError, match=said):
            call_command("give_password", name)
    assert not Entry.objects.exists()
