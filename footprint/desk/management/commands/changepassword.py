from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Refused, as it would change a person without an entry in the ledger; see give_password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(
            "This would change a password without an entry in the ledger. People change their own on the page"
            " Account; administrators give a new one on the page People, or by"
            " manage.py give_password USERNAME --reason …",
            returncode=2,
        )
