from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from cases.rebuilding import differences, from_ledger, in_force

_SHOWN = 50


class Command(BaseCommand):
    help = "Folds the ledger into the decisions in force and prints them; --check compares with the tables."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="compares; ends with 1 at a difference")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            # Ledger and tables as of one moment.
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            if options["check"]:
                self._check()
            else:
                for pk, kept in sorted(in_force(from_ledger()).items()):
                    self.stdout.write(json.dumps({"decision": pk, **kept}, sort_keys=True))

    def _check(self) -> None:
        found = list(differences())
        for difference in found[:_SHOWN]:
            self.stderr.write(str(difference))
        if found:
            raise CommandError(f"Ledger and tables differ in {len(found)} places.", returncode=1)
        self.stdout.write(
            f"The ledger tells {len(in_force(from_ledger()))} decisions in force, as the tables do."
        )
