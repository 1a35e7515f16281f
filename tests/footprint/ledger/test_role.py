"""The application's own database role, as `restrict_role` makes it: it adds to the ledger and no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from footprint.ledger.models import Entry
from footprint.ledger.verify import verify
from tests.footprint.ledger.kept import add
from tests.house import FreshDatabase


@pytest.fixture
def restricted(fresh_database: FreshDatabase, tmp_path) -> Iterator[None]:
    """The rest of the test speaks to the database as that role."""
    role = f"app_{fresh_database.name}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role} LOGIN")
    call_command("restrict_role", role)
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION AUTHORIZATION {role}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET SESSION AUTHORIZATION")
            cursor.execute(f"DROP OWNED BY {role}")
            cursor.execute(f"DROP ROLE {role}")


def test_the_role_appends_and_reads(restricted: None, tmp_path):
    add("one", "two")
    assert verify(file=tmp_path / "none").entries == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET reason = 'changed'",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry",
        "DROP TABLE ledger_entry",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER ledger_entry_is_append_only ON ledger_entry",
        "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
        "CREATE RULE quiet AS ON INSERT TO ledger_entry DO INSTEAD NOTHING",
        "SET session_replication_role = replica",
        "UPDATE ledger_checkpoint SET seq = 0",
        "DELETE FROM ledger_checkpoint",
        "INSERT INTO ledger_head (id, seq, hash) VALUES (1, 9, 'x')",
        "DELETE FROM ledger_head",
        "DELETE FROM django_migrations",
        "TRUNCATE cases_decision CASCADE",
    ],
)
def test_the_role_may_not(restricted: None, statement: str):
    add("one")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Entry.objects.get().reason == "one"


def test_the_owner_of_the_tables_is_refused_as_the_role(fresh_database: FreshDatabase):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (owner,) = cursor.fetchone()
    with pytest.raises(CommandError, match="owns the tables"):
        call_command("restrict_role", owner)
    with pytest.raises(CommandError, match="no role nobody_has_it"):
        call_command("restrict_role", "nobody_has_it")


@pytest.mark.parametrize(
    "right",
    [
        "ALTER DATABASE {database} OWNER TO {role}",
        "GRANT pg_write_all_data TO {role}",
        "ALTER ROLE {role} CREATEROLE",
    ],
)
def test_a_role_that_could_do_more_is_refused(fresh_database: FreshDatabase, right: str):
    role = f"more_{fresh_database.name}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (owner,) = cursor.fetchone()
        cursor.execute(f"CREATE ROLE {role} LOGIN")
        try:
            cursor.execute(right.format(database=fresh_database.name, role=role))
            with pytest.raises(CommandError, match="give another one"):
                call_command("restrict_role", role)
        finally:
            cursor.execute(f"ALTER DATABASE {fresh_database.name} OWNER TO {owner}")
            cursor.execute(f"DROP ROLE {role}")
