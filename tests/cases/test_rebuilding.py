from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cases.actions import expire_due, undo
from cases.models import Decision
from cases.rebuilding import differences, fold
from footprint.accounts.models import Role
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.house import FreshDatabase, wait_until
from tests.roles import person_with


@pytest.fixture
def decided(fresh_database: FreshDatabase) -> None:
    """Made, superseded, undone, made again and expired."""
    rui = person_with(Role.REVIEWER, "rui")
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"), row(dns="c.example"))
    decide_on(rui, case, "a.example")
    undo(actor=rui, decision=decide_on(rui, case, "a.example"))
    decide_on(rui, case, "b.example")
    decide_on(rui, case, "c.example", expires_at=timezone.now() + timedelta(milliseconds=400))
    wait_until(lambda: expire_due() == 1)


def test_ledger_and_tables_tell_the_same(decided: None):
    said = StringIO()
    call_command("rebuild_decisions", "--check", stdout=said)
    assert "tells 2 decisions in force" in said.getvalue()


def test_the_decisions_in_force_come_out_of_the_ledger_alone(decided: None):
    said = StringIO()
    call_command("rebuild_decisions", stdout=said)
    rebuilt = {json.loads(line)["decision"] for line in said.getvalue().splitlines()}
    assert rebuilt == set(Decision.objects.in_force().values_list("pk", flat=True))


def test_a_decision_changed_past_the_ledger_is_found(decided: None):
    changed = Decision.objects.in_force().earliest("pk")
    Decision.objects.filter(pk=changed.pk).update(verdict="allowed", state="withdrawn")
    assert {(each.decision, each.field) for each in differences()} == {
        (changed.pk, "verdict"),
        (changed.pk, "state"),
    }
    with pytest.raises(CommandError, match="differ in 2 places"):
        call_command("rebuild_decisions", "--check", stderr=StringIO())


def test_a_decision_that_the_ledger_does_not_know_is_found(decided: None):
    copy = Decision.objects.in_force().earliest("pk")
    copy.pk, copy.subject = None, "z.example"
    copy.save(force_insert=True)
    assert [(each.decision, each.field) for each in differences()] == [(copy.pk, "existence")]


def test_events_of_any_name_are_folded_by_what_they_tell():
    made = {"after": {"state": "proposed", "verdict": "blocked"}}
    approved = {"after": {"state": "in force", "approver": 3}}
    reviewed = {"after": {"review": "confirmed"}}
    assert fold([("7", made), ("7", approved), ("7", reviewed)]) == {
        7: {"state": "in force", "verdict": "blocked", "approver": 3}
    }
