from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from footprint.stylesheet import StylesheetError, compile_stylesheet


class Command(BaseCommand):
    help = "Compiles the style sheet assets/app.css into build/assets/app.css."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            path = compile_stylesheet()
        except StylesheetError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{path}: {path.stat().st_size:,} bytes")
