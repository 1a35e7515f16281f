from __future__ import annotations

from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations import AddIndex, AlterField, RemoveIndex

from cases.actions import undo
from cases.models import Case, CaseFile, Decision, Endpoint
from footprint.accounts.models import Person
from tests.cases.world import decide_on, merge_and_settle, row
from tests.house import FreshDatabase


@pytest.mark.parametrize("app", ["cases", "watchlists"])
def test_the_migrations_go_back_and_forth(fresh_database: FreshDatabase, app: str):
    tables = connection.introspection.table_names()
    call_command("migrate", "hunts", "zero", verbosity=0)
    call_command("migrate", app, "zero", verbosity=0)
    assert not [name for name in connection.introspection.table_names() if name.startswith(f"{app}_")]
    call_command("migrate", verbosity=0)
    assert connection.introspection.table_names() == tables


def test_an_archived_case_becomes_a_closed_one_and_back(fresh_database: FreshDatabase, case: Case):
    call_command("migrate", "hunts", "zero", verbosity=0)
    for state, before, after in (("closed", "archived", "closed"), ("watching", "open", "open")):
        Case.objects.filter(pk=case.pk).update(state=state)
        call_command("migrate", "cases", "0006", verbosity=0)
        assert state_of(case) == before
        call_command("migrate", "cases", verbosity=0)
        assert state_of(case) == after


def test_indexes_are_built_before_anything_shuts_readers_out():
    fewer = import_module("cases.migrations.0024_fewer_indexes").Migration
    kinds = [type(operation) for operation in fewer.operations]
    last_built = max(place for place, kind in enumerate(kinds) if kind is AddIndex)
    assert not {RemoveIndex, AlterField} & set(kinds[:last_built])


def test_what_undos_made_again_is_taken_from_the_ledger(
    fresh_database: FreshDatabase, case: Case, rui: Person, ana: Person
):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    first = decide_on(rui, case, "a.example")
    again = undo(actor=ana, decision=decide_on(ana, case, "a.example", "allowed")).remade
    assert again is not None
    call_command("migrate", "cases", "0022", verbosity=0)
    call_command("migrate", "cases", verbosity=0)
    assert Decision.objects.get(pk=again.pk).made_again_from == first
    assert Decision.objects.exclude(made_again_from=None).count() == 1


def state_of(case: Case) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM cases_case WHERE id = %s", [case.pk])
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize("model", [Case, CaseFile, Decision, Endpoint])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_other_rows_point_at_is_never_deleted(
    case: Case, rui: Person, model: type[Case | CaseFile | Decision | Endpoint], statement: str
):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    decide_on(rui, case, "a.example")
    with pytest.raises(DatabaseError, match="never deleted"):
        run(statement.format(model._meta.db_table))


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # What the foreign keys of this test's own inserts still have to check would stand in the way.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)
