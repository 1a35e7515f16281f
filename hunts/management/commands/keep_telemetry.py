from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hunts.adapters import store_of
from hunts.management.commands.import_telemetry import local_source, progress_line
from hunts.telemetry.errors import TelemetryError
from hunts.telemetry.upkeep import keep_days


class Command(BaseCommand):
    help = (
        "Says how many UTC days of telemetry a local source keeps, today among them, and lets go of older"
        " ones at once. Later imports leave older days out; compact_telemetry lets go of what has become old."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        how_long = parser.add_mutually_exclusive_group(required=True)
        how_long.add_argument("--days", type=_days)
        how_long.add_argument("--forever", action="store_true")
        parser.add_argument("--source", default="local", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        store = store_of(local_source(options["source"]))
        try:
            with progress_line(self.stderr) as show:
                gone = keep_days(store, options["days"], progress=show)
        except TelemetryError as error:
            raise CommandError(str(error)) from error
        kept = "All days are kept" if options["days"] is None else f"{options['days']:,} days are kept"
        self.stdout.write(f"{kept}. Let go: {gone.days:,} days with {gone.rows:,} rows.")


def _days(text: str) -> int:
    days = int(text)
    if days < 1:
        raise argparse.ArgumentTypeError("at least 1, which is today")
    return days
