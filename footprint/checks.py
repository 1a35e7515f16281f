"""System checks of the house. Each has an id and a hint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.db.utils import OperationalError

from footprint.configuration import Configuration
from footprint.stylesheet import COMPILED

OLDEST_POSTGRESQL = 150_000


@register(Tags.database)
def check_postgresql(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Runs only where a database is at hand: `check --database default`, `migrate` and `up`."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        if connection.vendor != "postgresql":
            messages.append(
                Error(
                    f"The database is {connection.vendor}, not PostgreSQL.",
                    hint="Give the address of a PostgreSQL 15 or newer in DATABASE_URL.",
                    id="footprint.E001",
                )
            )
            continue
        messages += _check_version(alias)
    return messages


def _check_version(alias: str) -> list[CheckMessage]:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            version = int(cursor.fetchone()[0])
    except OperationalError as error:
        return [
            Error(
                f"The database does not answer: {str(error).strip()}",
                hint="See that PostgreSQL runs and that DATABASE_URL is right.",
                id="footprint.E002",
            )
        ]
    if version >= OLDEST_POSTGRESQL:
        return []
    return [
        Error(
            f"PostgreSQL {version // 10_000} is too old.",
            hint="Footprint needs PostgreSQL 15 or newer.",
            id="footprint.E003",
        )
    ]


@register(Tags.security, deploy=True)
def check_ledger_key(**kwargs: Any) -> list[CheckMessage]:
    house: Configuration = settings.FOOTPRINT
    if house.ledger_key or house.on_one_machine:
        return []
    return [
        Warning(
            "Nothing signs the checkpoints of the ledger.",
            hint="Give 32 random bytes in base64 in FOOTPRINT_LEDGER_KEY; docs/ledger.md tells how.",
            id="footprint.W002",
        )
    ]


@register(Tags.staticfiles, deploy=True)
def check_stylesheet(**kwargs: Any) -> list[CheckMessage]:
    if COMPILED.exists():
        return []
    return [
        Warning(
            "The style sheet is not compiled.",
            hint="Run `manage.py css`, then `manage.py collectstatic`.",
            id="footprint.W001",
        )
    ]
