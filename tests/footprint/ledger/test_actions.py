"""Code that changes rows and forgot the ledger altogether, found by reading; and some actions, by running.

Reading looks at every public function of the modules that open a `change(…)` or are called `…actions`, and
along the functions of ours that it calls by a bare name. Where one of them calls something named in WRITES,
one of them must mention an event. It does not tell whether the entry is made on every way through, in the
same transaction, or of the right event, and it does not follow methods or functions called by their module.

Running proves more, of the actions in RUN: PostgreSQL itself counts that rows and entries changed in one
transaction. For every change that any other test makes, tests/watched_changes.py does.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from types import FunctionType, ModuleType

import pytest
from django.db import connection
from django.utils import timezone

import cases
import footprint
import hunts
from cases.actions import expire_due, extend, undo, withdraw
from cases.batches.actions import confirm, end_for_good, resume, stop, undo_batch
from cases.batches.working import work_on
from cases.case_actions import CaseFacts, assign, edit_case
from cases.known.actions import remove_list, switch_list
from cases.models import Case, Proposal
from cases.note_actions import add_note, remove_note
from cases.proposal_actions import approve, reject, take_back
from cases.state_actions import change_state
from footprint.accounts.models import Person, Role
from footprint.ledger.people import add_person, note_sign_in, note_sign_out, set_role
from footprint.ledger.person_actions import (
    choose_password,
    deactivate,
    give_password,
    reactivate,
)
from footprint.ledger.record import Actor
from tests.cases.batches.bulk import decided, drafted
from tests.cases.known.lists import known_list, load, source
from tests.cases.test_deciding import pass_expiry
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.roles import person_with

WRITES = {
    *("create", "save", "update", "delete", "bulk_create", "bulk_update"),
    *("get_or_create", "update_or_create", "execute", "executemany"),
}
NO_ENTRY = {
    "cases.case_actions.visit": "that somebody looked changes nothing",
    "cases.batches.actions.change_draft": "as draft",
    "cases.batches.actions.discard": "a draft was never confirmed, so nothing came of it",
    "cases.batches.actions.draft": "a draft decides nothing until it is confirmed, which is an entry",
    "cases.batches.deciding.decision_like": "only a draft in memory, which goes nowhere",
    "cases.batches.deciding.why_not_alone": "it reads",
    "cases.batches.sweep.sweep": "when a batch was hinted at is working state",
    "cases.batches.sweep.take_back_lost": "it waits again; when it is given up, ending.fail says so",
    "cases.watchlists.ending.begin": "a look is no change; what it sends is an entry",
    "cases.watchlists.ending.finish_dry_run": "as begin; a dry run sends nothing",
    "cases.watchlists.ending.note_plan": "as begin",
    "cases.watchlists.ending.note_step": "as begin; the sums are the entry",
    "cases.watchlists.enforcement.note_accepted": "what the target's receipts say already",
    "footprint.ledger.record.change": "it is what writes entries",
    "hunts.runs.cancel_left_over": "asking for the end of the run was the entry",
    "hunts.store_entries.tell_left_over": "of the event that was noted, whichever it is",
    "hunts.store_work.hand_back": "who works on it is working state; its end is an entry",
    "hunts.store_work.claim": "who works on it is working state; its end is an entry",
    "hunts.store_work.end": "part of a change by its caller, who says how it ended",
    "hunts.store_work.heartbeat": "as claim",
    "hunts.store_work.note_progress": "as claim",
    "footprint.ledger.exporting.lines_of": "it reads, by a cursor of its own",
    "footprint.ledger.sealing.make_checkpoint": "an entry about each checkpoint would want a checkpoint",
    "footprint.ledger.sealing.make_due_checkpoint": "as make_checkpoint",
    "cases.watchlists.target_actions.ask_for_dry_run": "a wish is a note to the worker",
    "cases.watchlists.target_actions.ask_for_reconciliation": "as ask_for_dry_run; what it sends is an entry",
    "hunts.source_actions.forget_wish": "a wish for a test is a note to the worker; the test is an entry",
    "hunts.source_actions.note_wait": "as forget_wish",
    "hunts.source_actions.wish_for_probe": "as forget_wish",
}


def opens_a_change(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return bool(spec and spec.origin and "with change(" in Path(spec.origin).read_text(encoding="utf-8"))


def test_what_opens_a_change_is_read_wherever_it_stands():
    assert {"hunts.upkeep", "hunts.store_entries", "cases.watchlists.publishing"} <= {
        module.__name__ for module in modules()
    }


def modules() -> Iterator[ModuleType]:
    for room in (footprint, hunts, cases):
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if found.name.endswith("actions") or opens_a_change(found.name):
                yield importlib.import_module(found.name)


def actions() -> dict[str, FunctionType]:
    return {
        f"{module.__name__}.{name}": function
        for module in modules()
        for name, function in vars(module).items()
        if isinstance(function, FunctionType)
        and function.__module__ == module.__name__
        and not name.startswith("_")
    }


ACTIONS = actions()


@cache
def tree_of(function: FunctionType) -> ast.AST:
    lines = inspect.getsource(function)
    return ast.parse(inspect.cleandoc("\n" + lines) if lines[0] == " " else lines)


def reached_from(function: FunctionType) -> set[FunctionType]:
    """The function and all of ours that it calls by name, directly or not."""
    found, left = set(), [function]
    while left:
        each = inspect.unwrap(left.pop())
        if each in found or not each.__module__.startswith(("footprint", "hunts", "cases")):
            continue
        found.add(each)
        names = {node.id for node in ast.walk(tree_of(each)) if isinstance(node, ast.Name)}
        left += [other for name in names if isinstance(other := each.__globals__.get(name), FunctionType)]
    return found


def writes_rows(function: FunctionType) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES
        for node in ast.walk(tree_of(function))
    )


def names_an_event(function: FunctionType) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Event")
        or (isinstance(node, ast.Name) and node.id == "_ENDED_AS")
        for node in ast.walk(tree_of(function))
    )


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_code_that_writes_rows_mentions_an_event_somewhere(name: str):
    reached = reached_from(ACTIONS[name])
    if name not in NO_ENTRY and any(map(writes_rows, reached)):
        assert any(map(names_an_event, reached)), f"{name} changes rows and writes no entry."


def test_what_needs_no_entry_is_still_there():
    assert set(NO_ENTRY) <= set(ACTIONS)


def test_an_action_that_writes_nothing_to_the_ledger_would_be_found():
    reached = reached_from(ACTIONS["cases.case_actions.visit"])
    assert any(map(writes_rows, reached))
    assert not any(map(names_an_event, reached))


def rows_changed() -> dict[str, int]:
    """So far in this transaction, table by table, as PostgreSQL counts them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables")
        return dict(cursor.fetchall())


@pytest.fixture
def rui(db: None) -> Person:
    return person_with(Role.REVIEWER, "rui")


@pytest.fixture
def case(rui: Person):
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"))
    return case


def deciding(rui: Person, case: Case) -> Callable[[], object]:
    return lambda: decide_on(rui, case, "a.example")


def superseding(rui: Person, case: Case) -> Callable[[], object]:
    decide_on(rui, case, "a.example")
    return lambda: decide_on(rui, case, "a.example", "allowed")


def undoing(rui: Person, case: Case) -> Callable[[], object]:
    decision = decide_on(rui, case, "a.example")
    return lambda: undo(actor=rui, decision=decision)


def expiring(rui: Person, case: Case) -> Callable[[], object]:
    pass_expiry(decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1)))
    return expire_due


def switching_a_known_list(rui: Person, case: Case) -> Callable[[], object]:
    ours = known_list("ours", ["contoso.com"])
    return lambda: switch_list(actor=rui, known_list=ours, standing="ignore")


def adding_a_person(rui: Person, case: Case) -> Callable[[], object]:
    return lambda: add_person(
        actor=Actor.command("tests"), username="new", name="New", role=Role.READER, password="long enough"
    )


def confirming_a_batch(rui: Person, case: Case) -> Callable[[], object]:
    batch = drafted(rui, case)
    return lambda: confirm(actor=rui, batch=batch)


def working_on_a_batch(rui: Person, case: Case) -> Callable[[], object]:
    batch = confirm(actor=rui, batch=drafted(rui, case))
    return lambda: work_on(batch.pk, "tests")


def stopping_a_batch(rui: Person, case: Case) -> Callable[[], object]:
    batch = confirm(actor=rui, batch=drafted(rui, case))
    return lambda: stop(actor=rui, batch=batch)


def resuming_a_batch(rui: Person, case: Case) -> Callable[[], object]:
    batch = stop(actor=rui, batch=confirm(actor=rui, batch=drafted(rui, case)))
    return lambda: resume(actor=rui, batch=batch)


def ending_a_batch_for_good(rui: Person, case: Case) -> Callable[[], object]:
    batch = stop(actor=rui, batch=confirm(actor=rui, batch=drafted(rui, case)))
    return lambda: end_for_good(actor=rui, batch=batch)


def undoing_a_batch(rui: Person, case: Case) -> Callable[[], object]:
    batch = decided(rui, case)
    return lambda: undo_batch(actor=rui, batch=batch)


def reactivating(rui: Person, case: Case) -> Callable[[], object]:
    Person.objects.filter(pk=rui.pk).update(is_active=False)
    return lambda: reactivate(actor=Actor.command("tests"), person=rui)


def removing_a_note(rui: Person, case: Case) -> Callable[[], object]:
    note = add_note(actor=rui, case=case, text="Seen")
    return lambda: remove_note(actor=rui, note=note, version=note.version)


def proposal_of(rui: Person, case: Case, scope: str = "case") -> Proposal:
    return decide_on(rui, case, "a.example", "blocked", scope, subject="*.a.example").proposals.get()


def proposing(rui: Person, case: Case) -> Callable[[], object]:
    return lambda: proposal_of(rui, case)


def approving(rui: Person, case: Case) -> Callable[[], object]:
    proposal, ana = proposal_of(rui, case), person_with(Role.REVIEWER, "ana")
    return lambda: approve(actor=ana, proposal=proposal)


def rejecting(rui: Person, case: Case) -> Callable[[], object]:
    proposal, ana = proposal_of(rui, case), person_with(Role.REVIEWER, "ana")
    return lambda: reject(actor=ana, proposal=proposal, reason="Too wide")


def taking_back(rui: Person, case: Case) -> Callable[[], object]:
    proposal = proposal_of(rui, case)
    return lambda: take_back(actor=rui, proposal=proposal)


def withdrawing(rui: Person, case: Case) -> Callable[[], object]:
    decision = decide_on(rui, case, "a.example")
    return lambda: withdraw(actor=rui, decision=decision, reason="Was a test")


def proposing_to_withdraw(rui: Person, case: Case) -> Callable[[], object]:
    decision, aldo = decide_on(rui, case, "a.example"), person_with(Role.ANALYST, "aldo")
    return lambda: withdraw(actor=aldo, decision=decision, reason="Looks harmless")


def extending(rui: Person, case: Case) -> Callable[[], object]:
    decision = decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1))
    return lambda: extend(actor=rui, decision=decision, expires_at=None, reason="For good")


RUN: dict[str, Callable[[Person, Case], Callable[[], object]]] = {
    "deciding": deciding,
    "superseding": superseding,
    "undoing": undoing,
    "expiring": expiring,
    "proposing": proposing,
    "approving": approving,
    "rejecting": rejecting,
    "taking back": taking_back,
    "withdrawing": withdrawing,
    "proposing to withdraw": proposing_to_withdraw,
    "extending": extending,
    "confirming a batch": confirming_a_batch,
    "working on a batch": working_on_a_batch,
    "stopping a batch": stopping_a_batch,
    "resuming a batch": resuming_a_batch,
    "ending a batch for good": ending_a_batch_for_good,
    "undoing a batch": undoing_a_batch,
    "adding a person": adding_a_person,
    "loading known lists": lambda rui, case: lambda: load(source("ours", "contoso.com")),
    "switching a known list": switching_a_known_list,
    "removing a known list": lambda rui, case: partial(
        remove_list, actor=Actor.person(rui), known_list=known_list("ours", ["contoso.com"])
    ),
    "changing a role": lambda rui, case: (
        lambda: set_role(actor=Actor.command("tests"), person=rui, role=Role.LEAD)
    ),
    "giving a password": lambda rui, case: lambda: give_password(actor=Actor.command("tests"), person=rui),
    "choosing a password": lambda rui, case: (
        lambda: choose_password(person=rui, password="a long enough word")
    ),
    "deactivating": lambda rui, case: lambda: deactivate(actor=Actor.command("tests"), person=rui),
    "reactivating": reactivating,
    "editing a case": lambda rui, case: (
        lambda: edit_case(
            actor=rui, case=case, version=case.version, facts=replace(CaseFacts.of(case), severity=3)
        )
    ),
    "assigning a case": lambda rui, case: (
        lambda: assign(actor=rui, case=case, version=case.version, assignee=rui)
    ),
    "closing a case": lambda rui, case: (
        lambda: change_state(
            actor=rui, case=case, version=case.version, state="closed", reason="Seen elsewhere"
        )
    ),
    "writing a note": lambda rui, case: lambda: add_note(actor=rui, case=case, text="Seen"),
    "removing a note": removing_a_note,
    "opening a case": lambda rui, case: lambda: open_case(rui, "b.exe"),
}


@pytest.mark.parametrize("what", RUN)
def test_rows_and_entries_change_together_by(what: str, rui: Person, case):
    action = RUN[what](rui, case)
    before = rows_changed()
    action()
    after = rows_changed()
    changed = {table for table, count in after.items() if count != before.get(table, 0)}
    assert changed - {"ledger_entry", "ledger_head"}
    assert {"ledger_entry", "ledger_head"} <= changed


@pytest.mark.parametrize("note", [note_sign_in, note_sign_out])
def test_signing_in_and_out_is_written(note: Callable[[Person], None], rui: Person):
    before = rows_changed().get("ledger_entry", 0)
    note(rui)
    assert rows_changed()["ledger_entry"] == before + 1
