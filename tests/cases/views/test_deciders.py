"""A row tells who decided what it shows, and offers Undo for what its reader decided alone."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from cases import settling
from cases.deciders import DECIDER, LOOKED_AT_MOST
from cases.models import Case, CaseValue, Decision
from cases.proposal_actions import approve
from cases.settling import resettle
from cases.verdicts.settle import take_verdict_lock
from cases.views.rows import Row, rows_of
from footprint.accounts.models import Person, Role
from tests.cases.verdicts.test_settle import put
from tests.cases.views.pages import queue_url, text_of
from tests.cases.world import decide_on, merge_and_settle, row
from tests.roles import person_with


def row_of(case: Case, value: str, reader: Person) -> Row:
    (found,) = rows_of(case, [CaseValue.objects.get(case=case, value=value)], person=reader, new_since=None)
    return found


def wide(case: Case, rui: Person, value: str, subject: str, verdict: str, scope: str) -> Decision:
    decision = decide_on(rui, case, value, verdict, scope, subject=subject)
    return approve(actor=person_with(Role.LEAD, "lea"), proposal=decision.proposals.get())


def test_a_wide_decision_that_wins_names_its_maker_and_offers_no_undo(case: Case, rui: Person, ana: Person):
    merge_and_settle(case, row("", "a.corp.example"))
    decide_on(ana, case, "a.corp.example", "blocked", "everywhere")
    winner = wide(case, rui, "a.corp.example", "*.corp.example", "allowed", "case")
    shown = row_of(case, "a.corp.example", ana)
    assert (shown.value.verdict, shown.decision) == ("allowed", winner)
    assert not shown.may_undo


def test_a_name_blocked_by_its_address_names_who_blocked_the_address(case: Case, rui: Person, ana: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    decide_on(ana, case, "a.example", "allowed", "case")
    theirs = put(rui, case, "1.1.1.1")
    take_verdict_lock()
    resettle([theirs])
    shown = row_of(case, "a.example", ana)
    assert (shown.value.verdict, shown.decision, shown.may_undo) == ("blocked", theirs, False)


def test_who_put_a_proposal_in_force_is_told_as_the_one_who_decided(
    case: Case, rui: Person, site: Client, ana: Person
):
    merge_and_settle(case, row("", "a.corp.example"), row("", "b.example"))
    decision = wide(case, ana, "a.corp.example", "*.corp.example", "blocked", "everywhere")
    said = text_of(site.get(queue_url(case, "state=all")))
    assert f"blocked {decision.in_force_by.first_name}" in said
    assert f"blocked {ana.first_name}" not in said
    assert decision.by_whom == f"{decision.approver}, proposed by {ana}"
    assert decision.by_whom in text_of(site.get(reverse("decision-extend", args=[decision.pk])))


def test_ones_own_decision_that_decides_is_undone_from_the_row(case: Case, rui: Person, site: Client):
    merge_and_settle(case, row("", "a.example"))
    mine = decide_on(rui, case, "a.example")
    assert row_of(case, "a.example", rui).may_undo
    assert reverse("case-undo", args=[case.pk, mine.pk]) in site.get(queue_url(case)).content.decode()


def test_what_is_undecided_names_nobody(case: Case, rui: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    put(rui, case, "1.1.1.1", "allowed")
    assert row_of(case, "a.example", rui).decision is None


def test_ones_own_decision_for_one_file_is_undone_while_another_file_leaves_the_row_undecided(
    case: Case, rui: Person, ana: Person
):
    merge_and_settle(case, row("", "a.example"), row("", "a.example", file="b.exe"))
    mine = decide_on(rui, case, "a.example", "allowed", "file", file=case.files.get(key="a.exe"))
    shown = row_of(case, "a.example", rui)
    assert (shown.value.verdict, shown.decision, shown.own) == ("undecided", None, mine)
    assert not row_of(case, "a.example", ana).may_undo


def test_ones_own_decision_is_undone_while_it_is_still_settling(
    case: Case, rui: Person, ana: Person, monkeypatch: pytest.MonkeyPatch
):
    merge_and_settle(case, row("", "a.example"))
    decide_on(ana, case, "a.example", "allowed")
    monkeypatch.setattr(settling, "AT_ONCE", 0)
    mine = decide_on(rui, case, "a.example", "blocked", "case")
    shown = row_of(case, "a.example", rui)
    assert (shown.unsettled, shown.own) == (1, mine)
    assert not row_of(case, "a.example", ana).may_undo


def test_endpoints_are_bound_before_they_are_told_apart_by_their_verdict():
    looked_at, _, told_apart = DECIDER.partition(f"LIMIT {LOOKED_AT_MOST}")
    assert "{verdict}" not in looked_at
    assert "{verdict}" in told_apart
