from __future__ import annotations

import os
import socket
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.watchlists.models import Reconciliation, Target
from cases.watchlists.reconciling import reconcile
from cases.watchlists.target_actions import ask_for_dry_run, ask_for_reconciliation

_BAD_INPUT = 2
_NOT_DONE = 1


class Command(BaseCommand):
    help = (
        "Makes a target hold what its list says, here and now; with --dry-run, tells what that would take."
        " Exit status: 1 not all of it is there, 2 bad input."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--dry-run", action="store_true", help="only look")

    def handle(self, *args: Any, **options: Any) -> None:
        target = Target.objects.filter(slug=options["slug"]).first()
        if target is None:
            known = ", ".join(Target.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"No target {options['slug']!r}. Known: {known}.", returncode=_BAD_INPUT)
        if options["dry_run"]:
            ask_for_dry_run(target)
        else:
            ask_for_reconciliation(target)
        newest = target.reconciliations.values_list("pk", flat=True).first() or 0
        reconcile(target.pk, f"command on {socket.gethostname()} {os.getpid()}")
        look = target.reconciliations.filter(pk__gt=newest).first()
        if look is None:
            raise CommandError(
                "Nothing was asked: it or all publishing is paused, or a worker is at it.",
                returncode=_NOT_DONE,
            )
        self._tell(look)

    def _tell(self, look: Reconciliation) -> None:
        for act, item, why in look.plan:
            self.stdout.write(f"{act:8} {item!r}{f': {why}' if why else ''}")
        self.stdout.write(
            f"{look.added} added, {look.changed} changed, {look.withdrawn} withdrawn, {look.kept} kept,"
            f" {look.refused} refused, {look.waiting} waiting, {look.left_alone} of others left alone"
        )
        if look.said:
            self.stderr.write(look.said)
        if not look.is_dry_run and look.ended != Reconciliation.Ended.SAME:
            raise CommandError(f"It {look.get_ended_display()}.", returncode=_NOT_DONE)
