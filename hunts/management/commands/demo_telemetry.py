from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from footprint.ledger.record import Actor
from hunts.adapters import store_of
from hunts.importing import import_paths
from hunts.management.commands.import_telemetry import progress_line
from hunts.models import Source
from hunts.telemetry.demo.telemetry import demo_lines
from hunts.telemetry.store import Store

SEED = 20261124
EVENTS = 240_000
# The name of the made file is how a later start knows that it was here.
NAME_START = "demo-telemetry-"


class Command(BaseCommand):
    help = "Imports 30 days of made-up telemetry into the source local, once, for a try-out on one machine."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.FOOTPRINT.database_url:
            raise CommandError("Demo telemetry never exists where DATABASE_URL is set.", returncode=2)
        source = Source.objects.get(slug="local")
        store = store_of(source)
        if _is_there(store):
            self.stdout.write("The demo telemetry is there already.")
            return
        store.folder.mkdir(parents=True, exist_ok=True)
        # Beside the store: the file is larger than what some machines allow under /tmp.
        with tempfile.TemporaryDirectory(prefix="demo-", dir=store.folder.parent) as folder:
            path = Path(folder) / f"{NAME_START}{SEED}-{EVENTS}.jsonl"
            with path.open("w", encoding="utf-8") as file:
                file.writelines(demo_lines(seed=SEED, count=EVENTS, end=datetime.now(UTC)))
            with progress_line(self.stderr) as show:
                summary = import_paths(
                    actor=Actor.command("demo_telemetry"), source=source, paths=[path], progress=show
                )
        self.stdout.write(
            f"Made {summary.new_rows:,} events of {summary.devices:,} machines"
            f" and {summary.names:,} file names over {summary.days} days."
        )


def _is_there(store: Store) -> bool:
    return any(name.startswith(NAME_START) for record in store.imports() for name in record.files)
