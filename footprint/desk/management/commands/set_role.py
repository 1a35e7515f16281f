from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from footprint.accounts.models import Person, Role
from footprint.ledger.people import LastAdministrator, set_role
from footprint.ledger.record import Actor


class Command(BaseCommand):
    help = "Gives a person another role. It counts from their next request on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("role", choices=Role.values)
        parser.add_argument("--reason", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        person = Person.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"There is nobody called {options['username']}.", returncode=2)
        role = Role(options["role"])
        try:
            has_changed = set_role(
                actor=Actor.command("set_role"), person=person, role=role, reason=options["reason"]
            )
        except LastAdministrator as error:
            raise CommandError(
                f"{person} is the last administrator; make somebody else one first.", returncode=2
            ) from error
        self.stdout.write(f"{person} is {role.label}{'.' if has_changed else ' already.'}")
