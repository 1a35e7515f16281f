from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from footprint.ledger.chain import BrokenChain
from footprint.ledger.verify import verify


class Command(BaseCommand):
    help = "Proves the ledger: chain, head, columns and checkpoints. Names the first entry that is wrong."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--checkpoints", type=Path, metavar="FILE", help="another copy of the file")
        parser.add_argument(
            "--key", action="append", default=[], metavar="HEX", help="a public key you trust; else our own"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        file: Path | None = options["checkpoints"]
        if file is not None:
            _must_be_readable(file)
        try:
            proven = verify(file=file, trusted=options["key"])
        except BrokenChain as error:
            raise CommandError(f"The ledger is broken. {error}", returncode=1) from error
        seconds = time.monotonic() - began
        if options["key"] and proven.entries and not proven.sealed_to:
            raise CommandError(
                "No checkpoint of a key you trust seals any entry of the ledger.", returncode=4
            )
        self.stdout.write(f"{proven.in_words()} Last hash {proven.hash.hex()}. {seconds:.1f} s")


def _must_be_readable(file: Path) -> None:
    """A file that was asked for; of our own one `verify` notes that it is not there."""
    try:
        file.open().close()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=2) from error
