from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from footprint.ledger.record import Actor
from hunts.limiter import NoTurn
from hunts.models import Source
from hunts.probing import probe_source
from hunts.sources.base import Check

BAD_INPUT = 2
SOURCE_FAILED = 3


class Command(BaseCommand):
    help = (
        "Tests a source: is it reached, are we signed in and permitted, is the table there, how new and how"
        " old are its events? Exit status: 0 when all of it works, 2 bad input, 3 when something does not."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the source")

    def handle(self, *args: Any, **options: Any) -> None:
        source = Source.objects.filter(slug=options["slug"]).first()
        if source is None:
            known = ", ".join(Source.objects.order_by("slug").values_list("slug", flat=True)) or "none"
            message = f"There is no source {options['slug']!r}. Known sources: {known}."
            raise CommandError(message, returncode=BAD_INPUT)
        try:
            probe = probe_source(source, actor=Actor.command("test_source"))
        except NoTurn as error:
            raise CommandError(
                f"{source.slug} was not tested. {error.said}", returncode=SOURCE_FAILED
            ) from error
        for check in probe.checks:
            self._tell(check)
        if source.is_paused:
            self.stdout.write(f"{source.slug} is paused: {source.paused_because or 'no reason was given.'}")
        if not probe.passed:
            raise CommandError(f"{source.slug} cannot be asked as it is.", returncode=SOURCE_FAILED)
        self.stdout.write(f"{source.slug} can be asked.")

    def _tell(self, check: Check) -> None:
        word = "ok" if check.passed else "FAILED"
        self.stdout.write(f"{word:<7} {check.step.value:<13} {check.found}")
        if check.said:
            self.stdout.write(f"{'':<21} It said: {' '.join(check.said.split())}")
        if check.advice:
            self.stdout.write(f"{'':<21} What to do: {check.advice}")
