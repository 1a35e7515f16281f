from __future__ import annotations

import argparse
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from footprint.ledger.record import Actor
from hunts.actions import add_source
from hunts.models import Source

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Adds a place to ask. A local source answers from telemetry that was imported into it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="its short name: letters, digits, - and _")
        parser.add_argument("--kind", required=True, choices=Source.Kind.values)
        parser.add_argument("--title", default="", help="its name on the pages; the slug when not given")

    def handle(self, *args: Any, **options: Any) -> None:
        slug, kind = options["slug"], options["kind"]
        candidate = Source(slug=slug, kind=kind, title=options["title"] or slug)
        try:
            candidate.full_clean()
        except ValidationError as error:
            words = " ".join(f"{field}: {' '.join(said)}" for field, said in error.message_dict.items())
            raise CommandError(words, returncode=BAD_INPUT) from error
        source = add_source(actor=Actor.command("add_source"), slug=slug, kind=kind, title=options["title"])
        self.stdout.write(f"Added the source {source.slug}.")
