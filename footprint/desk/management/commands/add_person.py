from __future__ import annotations

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from footprint.accounts.models import Person, Role
from footprint.ledger.people import add_person
from footprint.ledger.record import Actor


class Command(BaseCommand):
    help = "Adds a person who may sign in. Asks for the password, or reads one line from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="full name, as shown beside decisions")
        parser.add_argument("--role", choices=Role.values, default=Role.READER.value)

    def handle(self, *args: Any, **options: Any) -> None:
        username = options["username"]
        if Person.objects.filter(username=username).exists():
            raise CommandError(f"There is already a person called {username}.", returncode=2)
        password = (
            getpass(f"Password for {username}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        )
        try:
            validate_password(password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=2) from error
        person = add_person(
            actor=Actor.command("add_person"),
            username=username,
            name=options["name"] or username,
            role=Role(options["role"]),
            password=password,
        )
        self.stdout.write(f"Added {person} ({person.get_role_display()}).")
