from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cases.observed import observe
from hunts.actions import LookBack
from hunts.in_turn import InTurn
from hunts.kql.files import AskedFile, BadFileName, FileKind, parse_file
from hunts.kql.pairs import as_recorded, distinct, fold
from hunts.kql.rows import Row
from hunts.kql.window import ONE_DAY, Window, midnight
from hunts.limiter import NoTurn
from hunts.models import Source
from hunts.pair_formats import (
    Lines,
    lines_of_detail,
    lines_of_pairs,
    write_cards,
    write_csv,
    write_json,
    write_table,
)
from hunts.sources.errors import SourceError
from hunts.sources.planned import Asked, Question

BAD_INPUT = 2
SOURCE_FAILED = 3
_DAYS_BACK = re.compile(r"([0-9]{1,6})d")


class Command(BaseCommand):
    help = (
        "Which addresses and names do these files talk to? Prints distinct (IP, DNS) pairs, over all"
        " files and days asked for. Exit status: 0 with pairs or without, 2 bad input, 3 the source failed."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "names",
            nargs="+",
            metavar="NAME",
            help="a file name, or a SHA1 or SHA256; several are one question",
        )
        parser.add_argument("--source", default="local", metavar="SLUG", help="where to ask (local)")
        parser.add_argument(
            "--since",
            metavar="30d|DATE",
            help="the first day (UTC): so many days up to today, or YYYY-MM-DD; everything when not given",
        )
        parser.add_argument("--until", metavar="DATE", help="the last day (UTC), YYYY-MM-DD")
        parser.add_argument("--format", choices=("table", "csv", "json"), default="table")
        parser.add_argument(
            "--raw",
            action="store_true",
            help="as recorded, not normalised: the answer of the public query. CSV is then left as it is;"
            " without --raw, cells that a spreadsheet would take for a formula begin with an apostrophe",
        )
        parser.add_argument("--detail", action="store_true", help="with the evidence, per file")

    def handle(self, *args: Any, **options: Any) -> None:
        files = _files(options["names"])
        window = _window(options["since"], options["until"], datetime.now(UTC).date())
        source = _source(options["source"])
        if any(file.kind is FileKind.SHA256 for file in files):
            self.stderr.write("Many sources leave SHA256 empty; a SHA1 finds more.", str)
        try:
            question = Question(
                InTurn(source, patience=settings.FOOTPRINT.ask_timeout_seconds),
                files,
                window,
                timeout=settings.FOOTPRINT.ask_timeout_seconds,
                max_groups=settings.FOOTPRINT.slice_groups,
            )
            with _progress(self.stderr.isatty()) as tell:
                lines = _lines(question.rows(tell), options)
        except SourceError as error:
            raise CommandError(_sentence(source, error), returncode=SOURCE_FAILED) from error
        except NoTurn as error:
            raise CommandError(f"{source.slug}: {error.said}", returncode=SOURCE_FAILED) from error
        # The formats write to the stream itself: Django's wrapper ends every piece with a new line.
        with _reader_may_leave():
            _write(lines, options, options.get("stdout") or sys.stdout)
        if self.stderr.isatty():
            self.stderr.write(_in_words(len(lines.values)), str)


def _lines(rows: Iterator[Row], options: dict[str, Any]) -> Lines:
    spelling = as_recorded if options["raw"] else _normalised
    if options["detail"]:
        return lines_of_detail(fold(rows, spelling))
    return lines_of_pairs(distinct(rows, spelling))


def _write(lines: Lines, options: dict[str, Any], stream: TextIO) -> None:
    match options["format"]:
        case "csv":
            write_csv(lines, stream, defuse=not options["raw"])
        case "json":
            write_json(lines, stream)
        case _ if options["detail"]:
            write_cards(lines, stream)
        case _:
            write_table(lines, stream)
    stream.flush()


def _files(names: Sequence[str]) -> list[AskedFile]:
    files: dict[str, AskedFile] = {}
    for name in names:
        try:
            file = parse_file(name)
        except BadFileName as error:
            shown = name if len(name) <= 60 else f"{name[:60]}…"
            raise CommandError(f"{shown!r}: {error}", returncode=BAD_INPUT) from error
        files.setdefault(file.key, file)
    return list(files.values())


def _window(since: str | None, until: str | None, today: date) -> Window:
    first = None if since is None else _first_day(since, today)
    last = None if until is None else _date("--until", until)
    if first is not None and first > today:
        raise CommandError(f"--since {since} is in the future.", returncode=BAD_INPUT)
    if first is not None and last is not None and first > last:
        raise CommandError(f"--since {since} is after --until {until}.", returncode=BAD_INPUT)
    after = None if last is None or last == date.max else midnight(last + ONE_DAY)
    return Window(None if first is None else midnight(first), after)


def _first_day(text: str, today: date) -> date:
    back = _DAYS_BACK.fullmatch(text)
    if back is None:
        return _date("--since", text)
    days = int(back[1])
    if not 1 <= days <= today.toordinal():
        raise CommandError(f"--since {text} is no number of days that makes sense.", returncode=BAD_INPUT)
    return LookBack(days).first_day(today)


def _date(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        forms = "30d or 2026-11-24" if option == "--since" else "2026-11-24"
        raise CommandError(f"{option} {text!r} is not a day: write {forms}.", returncode=BAD_INPUT) from error


def _source(slug: str) -> Source:
    source = Source.objects.filter(slug=slug).first()
    if source is None:
        known = ", ".join(Source.objects.order_by("slug").values_list("slug", flat=True)) or "none"
        raise CommandError(f"There is no source {slug!r}. Known sources: {known}.", returncode=BAD_INPUT)
    if source.is_paused:
        because = source.paused_because or "no reason was given."
        raise CommandError(f"{slug} is paused: {because}", returncode=SOURCE_FAILED)
    return source


def _normalised(ip: str, dns: str) -> tuple[str, str] | None:
    observed = observe(ip, dns)
    return None if observed.is_empty else (observed.ip or "", observed.dns)


def _in_words(count: int) -> str:
    if count == 0:
        return "Nothing was recorded."
    return "1 pair." if count == 1 else f"{count:,} pairs."


def _sentence(source: Source, error: SourceError) -> str:
    return " ".join(f"{source.slug}: {error} {error.said}".split())


@contextmanager
def _progress(is_seen: bool) -> Iterator[Callable[[Asked], None]]:
    if not is_seen:
        yield lambda asked: None
        return
    bar = Progress(
        TextColumn("Asking"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("slices, {task.fields[rows]:,} rows"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("ask", total=None, rows=0)
        yield lambda asked: bar.update(
            task, completed=asked.done, total=asked.slices or None, rows=asked.rows
        )


@contextmanager
def _reader_may_leave() -> Iterator[None]:
    """`| head` closes the pipe early; that is no failure of ours."""
    try:
        yield
    except BrokenPipeError:
        # Python flushes stdout at exit and would complain there once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
