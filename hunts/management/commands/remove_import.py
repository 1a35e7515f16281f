from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from footprint.ledger.record import Actor
from hunts.adapters import store_of
from hunts.management.commands.import_telemetry import BAD_INPUT, local_source, progress_line
from hunts.models import Run, Source
from hunts.telemetry.errors import TelemetryError, UnknownImport
from hunts.telemetry.holdings import rows_by_import
from hunts.telemetry.store import Store
from hunts.upkeep import find_import, remove_import


class Command(BaseCommand):
    help = (
        "Removes exactly the rows that one import brought into a local source; rows that another import"
        " brought too stay. Without an import id it lists the imports."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("import_id", nargs="?", metavar="IMPORT")
        parser.add_argument("--source", default="local", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        source = local_source(options["source"])
        store = store_of(source)
        try:
            if options["import_id"] is None:
                self.stdout.write(_list_of(store))
            else:
                self._remove(source, options["import_id"])
        except UnknownImport as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        except TelemetryError as error:
            raise CommandError(str(error)) from error

    def _remove(self, source: Source, import_id: str) -> None:
        record = find_import(source, import_id)
        actor = Actor.command("remove_import")
        with progress_line(self.stderr) as show:
            removal = remove_import(actor=actor, source=source, record=record, progress=show)
        self.stdout.write(f"Removed {removal.rows:,} rows of {removal.days:,} days.")
        if removal.readmitted:
            self.stdout.write(
                f"Of these, other imports had brought {removal.readmitted:,} too: they are still there."
            )
        cases = Run.objects.cases_that_asked(source, datetime.fromisoformat(record.at))
        if cases:
            numbers = ", ".join(map(str, cases))
            self.stdout.write(
                f"Asked since it was imported: case {numbers}. What they found then stays in them."
            )


def _list_of(store: Store) -> str:
    rows = rows_by_import(store)
    lines = [
        f"{record.import_id}  {rows[record.import_id]:>12,} rows  {', '.join(record.files)}"
        for record in store.imports()
    ]
    return "\n".join(lines) or "There is no import."
