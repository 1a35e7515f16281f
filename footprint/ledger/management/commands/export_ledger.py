from __future__ import annotations

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from footprint.ledger.exporting import NoSuchRange, export
from footprint.ledger.keys import CannotSeal
from footprint.ledger.record import Actor


class Command(BaseCommand):
    help = "Writes entries with their checkpoints as JSON lines, for the stand-alone verifier."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", type=int, default=1, dest="first", metavar="SEQ")
        parser.add_argument("--to", type=int, dest="last", metavar="SEQ", help="the last entry; else the end")
        parser.add_argument("--output", type=Path, required=True, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        output: Path = options["output"]
        if not output.parent.is_dir():
            raise CommandError(f"There is no folder {output.parent}.", returncode=2)
        try:
            made = export(actor=Actor.command("export_ledger"), first=options["first"], last=options["last"])
        except (NoSuchRange, CannotSeal) as error:
            raise CommandError(str(error), returncode=2) from error
        try:
            with made.content, output.open("wb") as file:
                shutil.copyfileobj(made.content, file)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.", returncode=2) from error
        self.stdout.write(f"Entries {made.first} to {made.last}, SHA-256 {made.sha256}, in {output}.")
