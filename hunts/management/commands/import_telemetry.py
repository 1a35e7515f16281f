from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper

from footprint.ledger.record import Actor
from hunts.importing import import_paths
from hunts.models import Source
from hunts.telemetry.errors import TelemetryError, UnreadableFile
from hunts.telemetry.progress import ImportSummary, Phase, Progress

BAD_INPUT = 2
_WIDTH = 79


class Command(BaseCommand):
    help = (
        "Imports exports of DeviceNetworkEvents and Sysmon's network events into a local source: portal"
        " CSV, streaming API and Graph JSON, Parquet, Sysmon JSON, event logs; also gzipped, zipped or as"
        " a folder."
        " If one file is refused, none is imported."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--source", default="local", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        source = local_source(options["source"])
        try:
            with progress_line(self.stderr) as show:
                summary = import_paths(
                    actor=Actor.command("import_telemetry"),
                    source=source,
                    paths=options["paths"],
                    progress=show,
                )
        except UnreadableFile as error:
            raise CommandError(f"Nothing was imported.\n{error}", returncode=BAD_INPUT) from error
        except TelemetryError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(summary_text(summary))


def local_source(slug: str) -> Source:
    sources = Source.objects.filter(kind=Source.Kind.LOCAL)
    source = sources.filter(slug=slug).first()
    if source is None:
        known = ", ".join(sources.values_list("slug", flat=True)) or "none yet"
        raise CommandError(
            f"There is no local source {slug!r}. Local sources: {known}.", returncode=BAD_INPUT
        )
    return source


@contextmanager
def progress_line(stream: OutputWrapper) -> Iterator[Callable[[Progress], None] | None]:
    """One line that rewrites itself; None, which tells nobody, when no terminal is there."""
    if not stream.isatty():
        yield None
        return

    def show(progress: Progress) -> None:
        stream.write("\r" + _progress_text(progress)[:_WIDTH].ljust(_WIDTH), ending="")
        stream.flush()

    try:
        yield show
    finally:
        stream.write("\r" + " " * _WIDTH + "\r", ending="")


def _progress_text(progress: Progress) -> str:
    words = progress.phase.value.capitalize()
    if progress.file is not None:
        words += f" {progress.file.name}"
    if progress.phase in (Phase.READING, Phase.SORTING, Phase.REWRITING) and progress.total:
        words += f", {100 * progress.done // progress.total} %"
    if progress.rows:
        words += f", {progress.rows:,} rows"
    return words


def summary_text(summary: ImportSummary) -> str:
    lines = [
        f"Import      {summary.import_id}",
        f"Files       {summary.files:,}",
        f"Rows read   {summary.rows_read:,}",
        f"New rows    {summary.new_rows:,}",
        f"Doubles     {summary.doubles:,}",
        f"Bad lines   {summary.bad_lines:,}{_kept_where(summary)}",
        f"Days        {summary.days:,}{_from_to(summary)}",
        f"Devices     {summary.devices:,}",
        f"File names  {summary.names:,}",
    ]
    if summary.other_rows:
        lines.append(f"Rows of other tables, left out: {summary.other_rows:,}")
    if summary.too_old:
        lines.append(f"Rows of days that are not kept any more, left out: {summary.too_old:,}")
    lines += [
        f"Cells of {column} that could not be read, left empty: {number:,}"
        for column, number in sorted(summary.unread_cells.items())
    ]
    return "\n".join(lines)


def _kept_where(summary: ImportSummary) -> str:
    return "" if summary.bad_lines_file is None else f", kept in {summary.bad_lines_file}"


def _from_to(summary: ImportSummary) -> str:
    return f", {summary.first_day} to {summary.last_day} (UTC)" if summary.first_day else ""
