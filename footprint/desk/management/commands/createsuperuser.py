from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Refused, as it would add a person without an entry in the ledger; see add_person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username")
        parser.add_argument("--email")

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(
            "This would add a person without an entry in the ledger. Use"
            " manage.py add_person USERNAME --role administrator",
            returncode=2,
        )
