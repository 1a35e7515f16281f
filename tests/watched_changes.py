"""Watches every change that a test makes: one that alters rows and writes no entry fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

# Working state: the entry comes when the work is done, or says nothing new when there was none to do.
WITHOUT_ENTRY = frozenset(
    {
        *("watchlists_watchlist", "cases_batch", "cases_leftalone"),
        # How a look at a target ended; that it changed something there is an entry.
        *("watchlists_target", "watchlists_reconciliation"),
    }
)


class SilentChange(AssertionError):
    """Rows changed in a change that noted nothing."""


def rows_changed() -> dict[str, int]:
    """So far in this transaction, as PostgreSQL counts them; whoever counts queries does not see this one."""
    with connection.connection.cursor() as cursor:
        cursor.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables")
        return dict(cursor.fetchall())


@contextmanager
def watched_atomic() -> Iterator[None]:
    with transaction.atomic():
        before = rows_changed()
        yield
        changed = {table for table, count in rows_changed().items() if count != before.get(table, 0)}
        silent = changed - WITHOUT_ENTRY
        if silent and "ledger_entry" not in changed:
            raise SilentChange(f"Rows of {', '.join(sorted(silent))} changed, and no entry was written.")


@pytest.fixture(autouse=True)
def watch_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("footprint.ledger.record.transaction", SimpleNamespace(atomic=watched_atomic))
