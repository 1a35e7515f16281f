from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from footprint.accounts.models import Person
from footprint.ledger.person_actions import NotActive, give_password
from footprint.ledger.record import Actor


class Command(BaseCommand):
    help = "Gives a person a new password, told once; they must choose another one with it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--reason", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        person = Person.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"There is nobody called {options['username']}.", returncode=2)
        try:
            password = give_password(
                actor=Actor.command("give_password"), person=person, reason=options["reason"]
            )
        except NotActive as error:
            raise CommandError(f"{person} is deactivated; reactivate them first.", returncode=2) from error
        self.stdout.write(password)
