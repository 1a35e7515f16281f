from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from psycopg import sql

# What the application may do with these; with every other table it may do anything but TRUNCATE.
_MAY = {
    "ledger_entry": sql.SQL("SELECT, INSERT"),
    "ledger_checkpoint": sql.SQL("SELECT, INSERT"),
    "ledger_head": sql.SQL("SELECT, UPDATE"),
    "django_migrations": sql.SQL("SELECT"),
}


# Who owns the database owns its schema, and so may drop what others own.
_MAY_DO_MORE = """
    SELECT r.rolsuper OR r.rolcreaterole OR pg_has_role(r.rolname, current_user, 'MEMBER')
           OR pg_has_role(r.rolname, d.datdba, 'MEMBER')
           OR pg_has_role(r.rolname, 'pg_write_all_data', 'MEMBER')
      FROM pg_roles r, pg_database d
     WHERE r.rolname = %s AND d.datname = current_database()
"""


class Command(BaseCommand):
    help = (
        "Grants a database role what the application needs and no more: to the ledger it can only add. "
        "Run it as the owner of the tables, after `migrate`."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", help="an existing role with LOGIN, which owns nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        role = sql.Identifier(options["role"])
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                _MAY_DO_MORE,
                [options["role"]],
            )
            found = cursor.fetchone()
            if found is None:
                raise CommandError(f"There is no role {options['role']}.", returncode=2)
            if found[0]:
                raise CommandError(
                    "This role owns the tables or the database, or may do as their owner does; "
                    "give another one.",
                    returncode=2,
                )
            for statement in _STATEMENTS:
                cursor.execute(statement.format(role=role))
            for table, rights in _MAY.items():
                cursor.execute(_NOTHING.format(table=sql.Identifier(table), role=role))
                cursor.execute(_ONLY.format(rights=rights, table=sql.Identifier(table), role=role))
        self.stdout.write(f"{options['role']} may add to the ledger, and change nothing in it.")


_STATEMENTS = (
    sql.SQL("GRANT USAGE ON SCHEMA public TO {role}"),
    sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"),
    sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"),
    sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"),
)
_NOTHING = sql.SQL("REVOKE ALL ON {table} FROM {role}")
_ONLY = sql.SQL("GRANT {rights} ON {table} TO {role}")
