from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from cases.known.actions import load_lists
from cases.known.sources import package_lists
from cases.models import KnownList
from footprint.ledger.record import Actor

# The larger lists, of a million entries each, would keep a first start waiting.
_ENTRIES_AT_MOST = 12_000


class Command(BaseCommand):
    help = "Loads the smaller known lists of the installed package, where there are none yet."

    def handle(self, *args: Any, **options: Any) -> None:
        if not KnownList.objects.exists():
            load_lists(
                actor=Actor.command("demo_known_lists"), sources=package_lists(at_most=_ENTRIES_AT_MOST)
            )
