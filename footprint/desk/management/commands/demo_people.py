from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from footprint.accounts.models import Person, Role
from footprint.ledger.people import add_person
from footprint.ledger.record import Actor

PASSWORD = "footprint-demo"  # noqa: S105  # printed for everyone; refused off one machine
PEOPLE = (
    ("rita", "Rita Ogden", Role.READER),
    ("ana", "Ana Costa", Role.ANALYST),
    ("rui", "Rui Sousa", Role.REVIEWER),
    ("lea", "Lea Moser", Role.LEAD),
    ("otto", "Otto Lind", Role.AUDITOR),
    ("ada", "Ada Nowak", Role.ADMINISTRATOR),
)


class Command(BaseCommand):
    help = "Makes one person per role, for a try-out on one machine. Refused where DATABASE_URL is set."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.FOOTPRINT.database_url:
            raise CommandError("Demo people never exist where DATABASE_URL is set.", returncode=2)
        known = set(Person.objects.values_list("username", flat=True))
        for username, name, role in PEOPLE:
            if username not in known:
                add_person(
                    actor=Actor.command("demo_people"),
                    username=username,
                    name=name,
                    role=role,
                    password=PASSWORD,
                )
        for username, name, role in PEOPLE:
            self.stdout.write(f"{role.label:14} {username:5} {PASSWORD}   {name}")
