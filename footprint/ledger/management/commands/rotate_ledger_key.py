from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from footprint.ledger.keys import CannotSeal
from footprint.ledger.record import Actor
from footprint.ledger.sealing import rotate_key


class Command(BaseCommand):
    help = "Goes over to another key for checkpoints. Run it while the old key is still set."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True)
        parser.add_argument(
            "--new-key-file", type=Path, metavar="FILE", help="needed where FOOTPRINT_LEDGER_KEY is set"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path | None = options["new_key_file"]
        if settings.FOOTPRINT.ledger_key and file is None:
            raise CommandError(
                "The key comes from a setting; give the new one by --new-key-file.", returncode=2
            )
        try:
            text = file.read_text() if file else None
            sealed = rotate_key(
                actor=Actor.command("rotate_ledger_key"), reason=options["reason"], new_text=text
            )
        except (CannotSeal, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"Checkpoints are signed with {sealed.key} from entry {sealed.seq} on.")
        if settings.FOOTPRINT.ledger_key:
            self.stdout.write("Now set FOOTPRINT_LEDGER_KEY to it and start web, workers and beat anew.")
