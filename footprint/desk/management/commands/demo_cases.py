from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cases.case_actions import FileText
from cases.models import Case
from footprint.accounts.models import Person
from hunts.actions import LookBack, open_case
from hunts.hints import hint_run
from hunts.models import Source

CASES = (
    (
        "Unsigned syncsvc.exe beacons from AppData",
        (
            "syncsvc.exe appeared nine days ago on a few machines and calls out every few minutes. "
            "Who does it talk to?"
        ),
        ("syncsvc.exe",),
    ),
    (
        "Updater after the 11.4 rollout",
        (
            "updater.exe 11.4 talks to hosts that 11.3 never did. "
            "Is it the vendor's new CDN, or something riding on it?"
        ),
        ("updater.exe", "update-helper.exe"),
    ),
    (
        "PowerShell with network",
        "Which servers and addresses do scripts reach, and who runs them?",
        ("powershell.exe", "wmiprvse.exe"),
    ),
    (
        "What browsers reach from servers",
        "Servers are not for browsing. What is left after the vendors' own names are allowed?",
        ("msedge.exe", "chrome.exe"),
    ),
)


class Command(BaseCommand):
    help = "Opens a few cases over the demo telemetry, for a try-out on one machine."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.FOOTPRINT.database_url:
            raise CommandError("Demo cases never exist where DATABASE_URL is set.", returncode=2)
        owner = Person.objects.get(username="ana")
        source = Source.objects.get(slug="local")
        known = set(Case.objects.values_list("title", flat=True))
        for title, why, names in CASES:
            if title in known:
                continue
            files = [FileText("name", name, name) for name in names]
            run = open_case(
                actor=owner, title=title, why=why, files=files, source=source, look_back=LookBack(30)
            )
            hint_run(run)
            self.stdout.write(f"Opened case {run.hunt.case_id}: {title}")
