from __future__ import annotations

import csv
from argparse import ArgumentParser
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.intake_actions import CannotTakeIn, confirm, drop, take_in
from cases.intakes.landing import land_step
from cases.lists import READERS
from cases.models import Intake, IntakeLine
from cases.refusals import CannotDecide
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person

_BAD_INPUT = 2
_NOT_DECIDED = (
    IntakeLine.Finding.CONTRADICTING,
    IntakeLine.Finding.OTHERWISE,
    IntakeLine.Finding.TOO_WIDE,
    IntakeLine.Finding.UNREADABLE,
)


class Command(BaseCommand):
    help = (
        "Imports a list of names, addresses and networks as decisions everywhere, in the name of a person."
        " Exit status: 2 bad input."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--verdict", required=True, choices=["allowed", "blocked"])
        parser.add_argument("--reason", required=True, help="one for all; it goes to the ledger")
        parser.add_argument("--person", required=True, metavar="NAME", help="sign-in name of who decides")
        parser.add_argument("--format", default="", choices=[each.slug for each in READERS])
        parser.add_argument("--until", type=date.fromisoformat, metavar="DAY", help="the last day, in UTC")
        parser.add_argument(
            "--take-over", action="store_true", help="also decide what contradicts a decision in force"
        )
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be decided")
        parser.add_argument(
            "--rest", type=Path, metavar="FILE", help="where lines that are not decided go, as CSV"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        person = self._person(options["person"])
        try:
            intake = take_in(
                actor=person,
                content=_content(options["file"]),
                name=options["file"].name,
                verdict=options["verdict"],
                reader=options["format"],
            )
        except CannotTakeIn as refusal:
            raise CommandError(refusal.message, returncode=_BAD_INPUT) from refusal
        self._tell(intake, options["rest"])
        if options["dry_run"]:
            drop(actor=person, intake=intake)
            return
        try:
            confirm(
                actor=person,
                intake=intake,
                reason=options["reason"],
                expires_at=_end_of(options["until"]),
                takes_over=options["take_over"],
            )
        except (CannotTakeIn, CannotDecide) as refusal:
            drop(actor=person, intake=intake)
            raise CommandError(refusal.message, returncode=_BAD_INPUT) from refusal
        while land_step(intake.pk):
            pass
        self._tell_outcome(intake)

    def _person(self, name: str) -> Person:
        person = Person.objects.filter(username=name, is_active=True).first()
        if person is None:
            raise CommandError(f"There is no active person {name!r}.", returncode=_BAD_INPUT)
        if not may(person, Verb.IMPORT_LIST):
            raise CommandError(f"{person} may not import lists.", returncode=_BAD_INPUT)
        return person

    def _tell(self, intake: Intake, rest: Path | None) -> None:
        counts = intake.entries.counts("finding")
        said = ", ".join(f"{counts[each]:,} {each.label}" for each in IntakeLine.Finding if counts.get(each))
        self.stdout.write(f"Intake {intake.pk}: {intake.lines:,} lines read as {intake.reader}: {said}.")
        self.stdout.write(f"SHA-256 {intake.sha256}")
        if rest is not None:
            _write_rest(intake, rest)

    def _tell_outcome(self, intake: Intake) -> None:
        intake.refresh_from_db()
        outcomes = intake.entries.exclude(outcome="").counts("outcome")
        said = ", ".join(
            f"{outcomes[each]:,} {each.label}" for each in IntakeLine.Outcome if outcomes.get(each)
        )
        ended = f" {intake.said}" if intake.said else ""
        self.stdout.write(f"{intake.get_state_display().capitalize()}: {said or 'nothing'}.{ended}")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=_BAD_INPUT) from error


def _end_of(day: date | None) -> datetime | None:
    return datetime.combine(day, time.max, UTC) if day else None


def _write_rest(intake: Intake, file: Path) -> None:
    left = intake.entries.filter(finding__in=_NOT_DECIDED).select_related("against").order_by("place")
    with file.open("w", encoding="utf-8", newline="") as output:
        writer = csv.writer(output)
        writer.writerow(["line", "text", "what", "reason"])
        for line in left.iterator(chunk_size=2_000):
            writer.writerow([line.number, line.text, line.finding, line.why or line.against or ""])
