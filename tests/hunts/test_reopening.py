"""A run that finds new undecided values brings back a case that is watching or was closed meanwhile."""

from __future__ import annotations

import pytest

from cases.models import Case
from footprint.ledger.models import Entry
from hunts.models import Run
from hunts.runs import conclude
from tests.cases.world import decide_on, events_of, merge_only, open_case, row
from tests.hunts.conftest import OpenRun
from tests.hunts.telemetry_lines import days_ago, event
from tests.hunts.test_running import work

# News goes by the clock, which stands still inside one transaction.
pytestmark = pytest.mark.usefixtures("fresh_database")


@pytest.mark.parametrize("state", [Case.State.WATCHING, Case.State.CLOSED])
def test_new_undecided_values_reopen_the_case(open_a_run: OpenRun, state: Case.State):
    events = [event("a.exe", days_ago(1), dns=name) for name in ("a.example", "b.example")]
    run = open_a_run(events, "a.exe")
    Case.objects.filter(pk=run.hunt.case_id).update(state=state)
    work(run)
    case = Case.objects.get(pk=run.hunt.case_id)
    assert case.state == "open"
    assert case.state_reason == f"Run {run.pk} found 2 new values, undecided."
    entry = Entry.objects.get(event="cases:case:reopened")
    assert (entry.actor_kind, entry.content["before"]) == ("run", {"state": state.value})


def test_values_that_are_decided_already_reopen_nothing(open_a_run: OpenRun):
    run = open_a_run([event("a.exe", days_ago(1), dns="a.example")], "a.exe")
    owner = run.hunt.case.owner
    elsewhere = open_case(owner, "a.exe")
    merge_only(elsewhere, row(dns="a.example"))
    decide_on(owner, elsewhere, "a.example")
    Case.objects.filter(pk=run.hunt.case_id).update(state=Case.State.WATCHING)
    assert work(run).state == "complete"
    assert Case.objects.get(pk=run.hunt.case_id).state == "watching"
    assert "cases:case:reopened" not in events_of()


def test_values_known_before_reopen_nothing(open_a_run: OpenRun):
    run = open_a_run([event("a.exe", days_ago(1), dns="a.example")], "a.exe")
    work(run)
    Case.objects.filter(pk=run.hunt.case_id).update(state=Case.State.WATCHING)
    again = Run.objects.create(hunt=run.hunt, slot="2", first_day=run.first_day, last_day=run.last_day)
    assert conclude(again.pk)
    assert Case.objects.get(pk=run.hunt.case_id).state == "watching"


def test_a_run_of_a_watching_case_ends_once_its_values_are_judged(open_a_run: OpenRun):
    run = open_a_run([event("a.exe", days_ago(1), dns="a.example")], "a.exe")
    Case.objects.filter(pk=run.hunt.case_id).update(state=Case.State.WATCHING)
    run.slices.all().update(state="done")
    merge_only(run.hunt.case, row(dns="b.example"))
    assert not conclude(run.pk)
