from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.watchlists.models import Target, Watchlist
from cases.watchlists.target_actions import TargetFields, add_target
from cases.watchlists.target_forms import LABELS
from footprint.azure.errors import BadSetting
from footprint.ledger.record import Actor

_BAD_INPUT = 2


class Command(BaseCommand):
    help = (
        "Adds a place where a watchlist is pushed. It starts paused unless --start is given, so that"
        " reconcile_target --dry-run can show first what would be sent. Secrets are named by --credential,"
        " never given. Exit status: 2 bad input."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="its short name: letters, digits, - and _")
        parser.add_argument("--kind", required=True, choices=Target.Kind.values)
        parser.add_argument("--watchlist", required=True, metavar="SLUG", help="for example all-blocks")
        parser.add_argument("--title", default="", help="its name on the pages; the slug when not given")
        for name, (label, words) in LABELS.items():
            parser.add_argument(f"--{name.replace('_', '-')}", default="", help=f"{label}. {words}")
        parser.add_argument(
            "--credential", default="default", metavar="REFERENCE", help="as add_source has it"
        )
        parser.add_argument("--grace-minutes", type=int, default=120, help="from accepted to enforced (120)")
        parser.add_argument("--takes-allows", action="store_true", help="Defender: allows too")
        parser.add_argument("--start", action="store_true", help="push at once")

    def handle(self, *args: Any, **options: Any) -> None:
        watchlist = Watchlist.objects.filter(slug=options["watchlist"]).first()
        if watchlist is None:
            raise CommandError(f"--watchlist: no list {options['watchlist']!r}.", returncode=_BAD_INPUT)
        fields: TargetFields = {
            "title": options["title"],
            "options": {name: options[name] for name in LABELS if options[name]},
            "credential": options["credential"],
            "takes_allows": options["takes_allows"],
            "grace_minutes": options["grace_minutes"],
        }
        try:
            target = add_target(
                actor=Actor.command("add_target"),
                slug=options["slug"],
                kind=options["kind"],
                watchlist=watchlist,
                starts=options["start"],
                **fields,
            )
        except BadSetting as error:
            named = "slug" if error.field == "slug" else f"--{error.field.replace('_', '-')}"
            raise CommandError(f"{named}: {error}", returncode=_BAD_INPUT) from error
        self.stdout.write(f"Added the target {target.slug}.")
        if not options["start"]:
            self.stdout.write(f"See what it would send: manage.py reconcile_target {target.slug} --dry-run")
