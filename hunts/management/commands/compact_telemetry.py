from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from footprint.ledger.record import Actor
from hunts.adapters import store_of
from hunts.management.commands.import_telemetry import local_source, progress_line
from hunts.telemetry.errors import TelemetryError
from hunts.telemetry.holdings import disk_used
from hunts.upkeep import compact


class Command(BaseCommand):
    help = (
        "Makes one file of each day's many, while questions go on; lets go of days that are not kept any"
        " more; deletes files that were replaced more than two hours ago. Run it once a day."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--source", default="local", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        source = local_source(options["source"])
        try:
            with progress_line(self.stderr) as show:
                done = compact(actor=Actor.command("compact_telemetry"), source=source, progress=show)
            used = disk_used(store_of(source))
        except TelemetryError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Days {done.days:,}: {done.files_before:,} files are {done.files_after:,} now."
            f" The store takes {used / 1e6:,.1f} MB."
        )
