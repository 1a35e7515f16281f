"""Watches every change that a test makes: one that alters rows and writes no entry fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

# Only working state: the entry comes when the work is done, or says nothing new when there was none to do.
WITHOUT_ENTRY = frozenset({"cases_leftalone", "cases_intakeline", "watchlists_reconciliation"})
# Tables with working state beside what people set; nothing that is selected here changes without an entry.
SET_BY_PEOPLE = {
    "watchlists_watchlist": "SELECT jsonb_agg(to_jsonb(t) - 'as_of' ORDER BY id) FROM watchlists_watchlist t",
    "watchlists_target": """
        SELECT jsonb_agg(to_jsonb(t) - ARRAY[
                   'stand', 'seen', 'next_at', 'not_before', 'dry_run_asked_at', 'failures', 'trouble',
                   'trouble_since', 'reconciled_at', 'items_ours', 'items_others', 'fence', 'worker',
                   'lease_until'] ORDER BY id) FROM watchlists_target t""",
    # When it is due next follows from its schedule.
    "hunts_hunt": """
        SELECT jsonb_agg(to_jsonb(t) - ARRAY['next_slot', 'next_at'] ORDER BY id) FROM hunts_hunt t""",
    # What becomes of work on a store is an entry when it has ended.
    "hunts_upload": """
        SELECT jsonb_agg(jsonb_build_array(id, source_id, asked_by_id,
                   CASE WHEN state IN ('done', 'failed') THEN state END) ORDER BY id) FROM hunts_upload""",
    "hunts_removal": """
        SELECT jsonb_agg(jsonb_build_array(id, source_id, asked_by_id,
                   CASE WHEN state IN ('done', 'failed') THEN state END) ORDER BY id) FROM hunts_removal""",
    "cases_intake": """
        SELECT jsonb_agg(jsonb_build_array(id, name, sha256, verdict, person_id, reason, expires_at,
                   takes_over, confirmed_by_id, confirmed_at, ended_at) ORDER BY id) FROM cases_intake""",
    # A draft decides nothing; confirming it is an entry.
    "cases_batch": """
        SELECT jsonb_agg(jsonb_build_array(id, case_id, person_id, query, is_picked, verdict, scope, file_id,
                   reason, expires_at, confirmed_at, task, asked_by_id, task_reason) ORDER BY id)
          FROM cases_batch WHERE state <> 'draft'""",
}
_SETTINGS = "SELECT " + ", ".join(f"({query})::text" for query in SET_BY_PEOPLE.values())


class SilentChange(AssertionError):
    """Rows changed in a change that noted nothing."""


def rows_changed() -> dict[str, int]:
    """So far in this transaction, as PostgreSQL counts them; whoever counts queries does not see this one."""
    with connection.connection.cursor() as cursor:
        # Temporary tables are of another schema.
        cursor.execute(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables"
            " WHERE schemaname = 'public'"
        )
        return dict(cursor.fetchall())


def settings_kept() -> dict[str, str | None]:
    with connection.connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
        return dict(zip(SET_BY_PEOPLE, cursor.fetchone(), strict=True))


@contextmanager
def watched_atomic() -> Iterator[None]:
    with transaction.atomic():
        before, set_before = rows_changed(), settings_kept()
        yield
        changed = {table for table, count in rows_changed().items() if count != before.get(table, 0)}
        if "ledger_entry" in changed:
            return
        silent = changed - WITHOUT_ENTRY - SET_BY_PEOPLE.keys()
        if changed & SET_BY_PEOPLE.keys():
            set_now = settings_kept()
            silent |= {
                table for table in changed & SET_BY_PEOPLE.keys() if set_now[table] != set_before[table]
            }
        if silent:
            raise SilentChange(f"Rows of {', '.join(sorted(silent))} changed, and no entry was written.")


@pytest.fixture(autouse=True)
def watch_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("footprint.ledger.record.transaction", SimpleNamespace(atomic=watched_atomic))
