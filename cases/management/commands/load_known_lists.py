from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug
from django.forms import ValidationError

from cases.known.actions import Loaded, load_lists, remove_list
from cases.known.sources import CannotLoad, file_list, package_lists, package_slugs
from cases.models import KnownList
from footprint.ledger.record import Actor

_BAD_INPUT = 2


class Command(BaseCommand):
    help = "Loads the known lists of the installed package, or one list from a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only", nargs="+", metavar="SLUG", default=[], help="These lists of the package."
        )
        parser.add_argument(
            "--at-most", type=int, metavar="N", help="Leaves out lists of the package with more entries."
        )
        parser.add_argument("--again", action="store_true", help="Also lists that have not changed.")
        parser.add_argument(
            "--file", type=Path, metavar="PATH", help="One entry a line, or a MISP warning list."
        )
        parser.add_argument("--remove", metavar="SLUG", help="Takes a list away.")
        parser.add_argument("--slug", help="The short name of the list in the file.")
        parser.add_argument("--title", default="", help="Its name on the pages.")
        parser.add_argument(
            "--category", choices=KnownList.Category.values, help="What is on it; it says when it warns."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            self._remove(options["remove"])
            return
        try:
            sources = [_file(options)] if options["file"] else package_lists(*_package(options))
            loading = load_lists(
                actor=Actor.command("load_known_lists"), sources=sources, again=options["again"]
            )
        except CannotLoad as problem:
            raise CommandError(str(problem), returncode=_BAD_INPUT) from problem
        for each in loading.loaded:
            self._report(each)
        unchanged = f", {loading.unchanged} unchanged" if loading.unchanged else ""
        entries = sum(each.entries for each in loading.loaded)
        self.stdout.write(f"{len(loading.loaded)} lists loaded with {entries:,} entries{unchanged}.")

    def _remove(self, slug: str) -> None:
        known_list = KnownList.objects.filter(slug=slug).first()
        if known_list is None:
            raise CommandError(f"There is no list {slug}.", returncode=_BAD_INPUT)
        remove_list(actor=Actor.command("load_known_lists"), known_list=known_list)
        self.stdout.write(f"{slug} is removed.")

    def _report(self, loaded: Loaded) -> None:
        slug = loaded.known_list.slug
        self.stdout.write(f"{slug}: {loaded.entries:,} entries, {loaded.known_list.get_category_display()}")
        for number, why in loaded.unread:
            self.stderr.write(f"{slug}, line {number}: {why}")
        if loaded.unread_count > len(loaded.unread):
            self.stderr.write(f"{slug}: and {loaded.unread_count - len(loaded.unread):,} more such lines")


def _file(options: dict[str, Any]) -> Any:
    slug, category = options["slug"], options["category"]
    if not slug or not category:
        raise CommandError("A file needs --slug and --category.", returncode=_BAD_INPUT)
    if options["only"] or options["at_most"]:
        raise CommandError("--only and --at-most choose among the package's lists.", returncode=_BAD_INPUT)
    try:
        validate_slug(slug)
    except ValidationError as problem:
        raise CommandError(f"--slug {slug!r}: {problem.messages[0]}", returncode=_BAD_INPUT) from problem
    return file_list(options["file"], slug=slug, category=category, title=options["title"])


def _package(options: dict[str, Any]) -> tuple[list[str], int | None]:
    if options["slug"] or options["category"] or options["title"]:
        raise CommandError("--slug, --title and --category go with --file.", returncode=_BAD_INPUT)
    unknown = sorted(set(options["only"]) - set(package_slugs()))
    if unknown:
        raise CommandError(f"The package has no list {', '.join(unknown)}.", returncode=_BAD_INPUT)
    return options["only"], options["at_most"]
