from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from footprint.accounts.models import Person
from footprint.ledger.record import Actor
from hunts.models import Source
from hunts.source_actions import SourceFields, add_source
from hunts.sources.errors import BadSource

BAD_INPUT = 2

# How each option of hunts.sources.open is given here, and what it is.
OPTIONS = {
    "workspace": ("GUID", "Log Analytics: the workspace's ID"),
    "more_workspaces": ("GUIDS", "Log Analytics: more of them, asked together with it"),
    "database": ("NAME", "Data Explorer: the database"),
    "endpoint": ("URL", "where to ask, when it is not the public service"),
    "audience": ("URI", "whom a token is for, when it is not the service at the endpoint"),
    "authority": ("URL", "who gives out tokens, when the endpoint does not tell"),
    "time_column": ("COLUMN", "Data Explorer: the column that holds the time"),
    "lacks": ("COLUMNS", "Data Explorer: columns that the table does not have"),
    "retention_days": ("DAYS", "nothing older than this is asked for"),
    "max_rows": ("ROWS", "an answer of so many rows is taken for a cut one"),
}


class Command(BaseCommand):
    help = (
        "Adds a place to ask. A local source answers from telemetry that was imported into it; the others"
        " are asked over the network. Secrets are named by --credential, never given."
        " Exit status: 2 bad input."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="its short name: letters, digits, - and _")
        parser.add_argument("--kind", required=True, choices=Source.Kind.values)
        parser.add_argument("--title", default="", help="its name on the pages; the slug when not given")
        for name, (shown, words) in OPTIONS.items():
            parser.add_argument(_flag(name), metavar=shown, help=words)
        parser.add_argument(
            "--credential",
            metavar="REFERENCE",
            help="default, managed_identity, workload_identity, client_secret, certificate, or token:NAME"
            " of a variable of the environment (default)",
        )
        parser.add_argument("--owner", metavar="NAME", help="sign-in name of who is told when it fails")
        parser.add_argument("--at-once", type=int, metavar="N", help="most questions at the same time (4)")
        parser.add_argument(
            "--per-30-seconds",
            type=int,
            metavar="N",
            help="most in any 30 seconds (200, Defender XDR 20)",
        )
        parser.add_argument("--keep-days", type=int, metavar="DAYS", help="local: older rows are removed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            source = add_source(
                actor=Actor.command("add_source"),
                slug=options["slug"],
                kind=options["kind"],
                **_fields(options),
            )
        except BadSource as error:
            raise CommandError(f"{_named(error.field)}: {error}", returncode=BAD_INPUT) from error
        self.stdout.write(f"Added the source {source.slug}.")
        if not source.is_local:
            self.stdout.write(f"See whether it answers: manage.py test_source {source.slug}")


def _fields(options: dict[str, Any]) -> SourceFields:
    is_local = options["kind"] == Source.Kind.LOCAL
    fields: SourceFields = {
        "title": options["title"],
        "options": {name: options[name] for name in OPTIONS if options[name] is not None},
        "credential": options["credential"] or ("" if is_local else "default"),
        "owner": _owner(options["owner"]),
        "keep_days": options["keep_days"],
    }
    if options["at_once"] is not None:
        fields["at_once"] = options["at_once"]
    if options["per_30_seconds"] is not None:
        fields["per_30_seconds"] = options["per_30_seconds"]
    return fields


def _owner(name: str | None) -> Person | None:
    if name is None:
        return None
    owner = Person.objects.filter(username=name, is_active=True).first()
    if owner is None:
        raise CommandError(f"--owner: nobody signs in as {name}.", returncode=BAD_INPUT)
    return owner


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _named(field: str) -> str:
    return "slug" if field == "slug" else _flag(field)
