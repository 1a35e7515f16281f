from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cases.case_actions import CaseFacts, FileText, edit_case
from cases.models import Case, Severity, Tlp
from cases.note_actions import add_note
from footprint.accounts.models import Person
from hunts.actions import LookBack, open_case
from hunts.hints import hint_run
from hunts.models import Source


@dataclass(frozen=True, slots=True)
class Facts:
    """What the demo says of a case; an assignee of "" is nobody."""

    assignee: str
    severity: Severity
    tlp: Tlp
    tags: tuple[str, ...]


CASES = (
    (
        "Unsigned syncsvc.exe beacons from AppData",
        (
            "syncsvc.exe appeared nine days ago on a few machines and calls out every few minutes. "
            "Who does it talk to?"
        ),
        ("syncsvc.exe",),
        Facts("lea", Severity.HIGH, Tlp.AMBER_STRICT, ("beacon", "unsigned")),
        (
            "Found through a hunt for **unsigned files in AppData**:\n\n"
            "- first seen nine days ago, on machines of one team\n"
            "- calls out every few minutes, also at night\n\n"
            "Next: ask that team what they installed."
        ),
    ),
    (
        "Updater after the 11.4 rollout",
        (
            "updater.exe 11.4 talks to hosts that 11.3 never did. "
            "Is it the vendor's new CDN, or something riding on it?"
        ),
        ("updater.exe", "update-helper.exe"),
        Facts("rui", Severity.MEDIUM, Tlp.AMBER, ("rollout", "vendor")),
        "The vendor names its hosts in the release notes of 11.4; compare with the queue before allowing.",
    ),
    (
        "PowerShell with network",
        "Which servers and addresses do scripts reach, and who runs them?",
        ("powershell.exe", "wmiprvse.exe"),
        Facts("", Severity.MEDIUM, Tlp.GREEN, ("living off the land",)),
        "",
    ),
    (
        "What browsers reach from servers",
        "Servers are not for browsing. What is left after the vendors' own names are allowed?",
        ("msedge.exe", "chrome.exe"),
        Facts("ana", Severity.LOW, Tlp.UNMARKED, ("servers",)),
        "",
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
        for title, why, names, facts, note in CASES:
            if title in known:
                continue
            files = [FileText("name", name, name) for name in names]
            run = open_case(
                actor=owner, title=title, why=why, files=files, source=source, look_back=LookBack(30)
            )
            _say(owner, run.hunt.case, facts, note)
            hint_run(run)
            self.stdout.write(f"Opened case {run.hunt.case_id}: {title}")


def _say(owner: Person, case: Case, facts: Facts, note: str) -> None:
    assignee = Person.objects.filter(username=facts.assignee).first()
    wanted = replace(
        CaseFacts.of(case), assignee=assignee, severity=facts.severity, tlp=facts.tlp, tags=facts.tags
    )
    edit_case(actor=owner, case=case, version=case.version, facts=wanted)
    if note:
        add_note(actor=owner, case=case, text=note)
