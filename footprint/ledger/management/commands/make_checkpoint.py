from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from footprint.ledger.keys import WHERE_IT_LIES, CannotSeal, kept_key_path
from footprint.ledger.sealing import checkpoint_file, make_checkpoint


class Command(BaseCommand):
    help = "Signs the head of the ledger and adds it to the checkpoint file."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        makes_a_key = not settings.FOOTPRINT.ledger_key and not kept_key_path().exists()
        try:
            sealed = make_checkpoint()
        except CannotSeal as error:
            raise CommandError(str(error), returncode=2) from error
        if makes_a_key:
            self.stderr.write(f"The key of the ledger was made: {kept_key_path()}. {WHERE_IT_LIES}")
        self.stdout.write(f"Entry {sealed.seq} is sealed with key {sealed.key}, in {checkpoint_file()}.")
