from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from footprint.ledger.record import Actor
from hunts.management.commands.import_telemetry import local_source, progress_line
from hunts.models import Source
from hunts.source_actions import change_source
from hunts.telemetry.errors import TelemetryError
from hunts.upkeep import apply_retention


class Command(BaseCommand):
    help = (
        "Says how many UTC days of telemetry a local source keeps, today among them, and lets go of older"
        " ones at once. Later imports leave older days out; what becomes old goes while workers run."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        how_long = parser.add_mutually_exclusive_group(required=True)
        how_long.add_argument("--days", type=_days)
        how_long.add_argument("--forever", action="store_true")
        parser.add_argument("--source", default="local", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        source, actor = local_source(options["source"]), Actor.command("keep_telemetry")
        change_source(actor=actor, source=source, keep_days=options["days"])
        try:
            with progress_line(self.stderr) as show:
                gone = apply_retention(actor=actor, source=source, progress=show)
        except TelemetryError as error:
            raise CommandError(str(error)) from error
        kept = "All days are kept" if options["days"] is None else f"{options['days']:,} days are kept"
        self.stdout.write(f"{kept}. Let go: {gone.days:,} days with {gone.rows:,} rows.")


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= Source.MOST_KEEP_DAYS:
        raise argparse.ArgumentTypeError(f"at least 1, which is today; at most {Source.MOST_KEEP_DAYS}")
    return days
