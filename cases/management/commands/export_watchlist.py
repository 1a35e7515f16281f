from __future__ import annotations

import os
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from cases.watchlists.actions import Download, download
from cases.watchlists.formats import REGISTRY
from cases.watchlists.models import Watchlist
from footprint.ledger.record import Actor

_BAD_INPUT = 2
# How many values are named for each cause.
_SHOWN = 10


class Command(BaseCommand):
    help = "Writes a watchlist to a file, or to standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="The watchlist, for example all-blocks.")
        parser.add_argument("--format", required=True, metavar="F", help=f"One of: {', '.join(REGISTRY)}.")
        parser.add_argument("--output", type=Path, metavar="FILE", help="Replaced as a whole, or not at all.")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = REGISTRY.get(options["format"])
        if chosen is None:
            raise CommandError(
                f"No format {options['format']!r}. Known: {', '.join(REGISTRY)}.", returncode=_BAD_INPUT
            )
        watchlist = Watchlist.objects.filter(slug=options["slug"]).first()
        if watchlist is None:
            known = ", ".join(Watchlist.objects.values_list("slug", flat=True))
            raise CommandError(f"No watchlist {options['slug']!r}. Known: {known}.", returncode=_BAD_INPUT)
        output: Path | None = options["output"]
        if output is not None and not output.parent.is_dir():
            raise CommandError(f"There is no folder {output.parent}.", returncode=_BAD_INPUT)
        taken = download(actor=Actor.command("export_watchlist"), watchlist=watchlist, format=chosen)
        with taken.content:
            if output is None:
                self._print(taken.content)
            else:
                _replace(output, taken.content)
        self._report(taken)

    def _print(self, content: IO[bytes]) -> None:
        """As bytes where it can be: a ZIP of parts is no text."""
        binary = getattr(self.stdout, "buffer", None)
        for line in content:
            if binary is None:
                self.stdout.write(line.decode(), ending="")
            else:
                binary.write(line)

    def _report(self, taken: Download) -> None:
        """On standard error, so that the list itself stays clean."""
        self.stderr.write(f"{taken.entries} entries, SHA-256 {taken.sha256}")
        for (how, why), count in sorted(taken.report.causes.items()):
            values = ", ".join(repr(value) for value in taken.report.examples[how, why][:_SHOWN])
            more = f" and {count - _SHOWN} more" if count > _SHOWN else ""
            self.stderr.write(f"{how.capitalize()}: {values}{more}: {why}")


def _replace(output: Path, content: IO[bytes]) -> None:
    """A reader of the file sees the old list or the new one, never half of one."""
    handle, draft = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(output)
    finally:
        Path(draft).unlink(missing_ok=True)
