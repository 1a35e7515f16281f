"""How a decision comes about, acts and ends: every sentence of the design."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from cases.actions import decide, expire_due, undo
from cases.bases import basis_of
from cases.forms import FOREVER, YEAR, DecideForm
from cases.models import Case, CaseValue, Decision, Endpoint, Proposal, ReviewDue
from cases.preflight import preflight
from cases.refusals import CannotDecide, DecidedMeanwhile, UndoRefused
from cases.state_actions import change_state
from cases.verdicts.subject import read_subject
from cases.views.editor import editor_for
from cases.waiting import decisions_expiring_for
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from tests.cases.design.subjects import ADDRESS, NAME
from tests.cases.test_deciding import pass_expiry
from tests.cases.test_reviews import first_run, run_over
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, row


@pytest.mark.parametrize(
    ("verdict", "scope", "until"), [("blocked", "everywhere", FOREVER), ("allowed", "case", YEAR)]
)
def test_b_blocks_everywhere_and_a_allows_here_for_a_year_unless_changed(
    verdict: str, scope: str, until: str
):
    first = DecideForm.first_choices(verdict)
    assert (first["scope"], first["until"]) == (scope, until)


def test_a_wide_one_shows_the_rows_that_change_before_anything_is_saved(
    seen: Case, client: Client, rui: Person
):
    client.force_login(rui)
    value = CaseValue.objects.get(case=seen, value=NAME)
    asked = {
        "verdict": "blocked", "scope": "everywhere", "until": "", "reason": "Beacon", "own": "*.contoso.com",
        "subject": NAME, "basis": basis_of(seen, NAME), "wider": "1", "back": "",
    }  # fmt: skip
    answer = client.post(f"/cases/{seen.pk}/values/{value.pk}/decide", asked)
    assert answer.status_code == 422
    assert "Would change 1 endpoint of 1 value in 1 case" in text_of(answer)
    assert not Decision.objects.exists()


def test_templates_of_reasons_and_the_last_one_are_offered(seen: Case, rui: Person):
    decide_on(rui, seen, ADDRESS, reason="Seen in the beacon report")
    value = CaseValue.objects.get(case=seen, value=NAME)
    editor = editor_for(rui, seen, value, "blocked")
    assert editor.last_reason == "Seen in the beacon report"
    assert "Advertising or tracking" in editor.reasons


def test_a_warning_comes_before_a_decision_expires(seen: Case, rui: Person):
    soon = decide_on(rui, seen, NAME, expires_at=timezone.now() + timedelta(days=3))
    decide_on(rui, seen, ADDRESS, expires_at=timezone.now() + timedelta(days=300))
    assert list(decisions_expiring_for(rui)) == [soon]


def test_the_preflight_warns_and_a_person_may_go_on_with_a_reason(case: Case, rui: Person):
    merge_and_settle(case, row("10.1.2.3"))
    before = preflight(case=case, subject=read_subject("10.1.2.3"), verdict="blocked", scope="everywhere")
    assert before.ranges
    assert (
        decide_on(rui, case, "10.1.2.3", reason="A machine of ours that was taken over").state == "in force"
    )


def test_review_due_never_changes_a_verdict(case: Case, rui: Person):
    first_run(case, row(ADDRESS, NAME))
    decide_on(rui, case, NAME)
    run_over(case, [row(ADDRESS, NAME, ports=[8443], hashes=["b" * 40])])
    assert ReviewDue.objects.filter(case=case).exists()
    assert Endpoint.objects.get().verdict == "blocked"


def test_a_capped_set_is_unknown_never_new(case: Case, rui: Person):
    first_run(case, row(ADDRESS, NAME, ports=list(range(1, 30))))
    decide_on(rui, case, NAME)
    run_over(case, [row(ADDRESS, NAME, ports=[8443])])
    assert not ReviewDue.objects.filter(case=case, cause=ReviewDue.Cause.PORT).exists()


def test_closing_says_what_stays_in_force(seen: Case, rui: Person):
    decide_on(rui, seen, NAME)
    change_state(actor=rui, case=seen, version=seen.version, state="closed", reason="Enough is known")
    closed = Entry.objects.get(event="cases:case:closed")
    assert closed.content["after"]["in_force"] == "1 block everywhere stays in force."


def test_every_decision_has_a_reason(seen: Case, rui: Person):
    with pytest.raises(CannotDecide) as refused:
        decide_on(rui, seen, NAME, reason=" ")
    assert refused.value.field == "reason"


def test_what_expires_becomes_undecided_again(seen: Case, rui: Person):
    pass_expiry(decide_on(rui, seen, NAME, expires_at=timezone.now() + timedelta(days=1)))
    expire_due()
    assert set(Endpoint.objects.values_list("verdict", flat=True)) == {"undecided"}


def test_decisions_act_on_what_is_there_and_on_what_comes_later(wide: Decision, case: Case):
    merge_and_settle(case, row("", "later.contoso.com"))
    assert {each.verdict for each in Endpoint.objects.exclude(dns="")} == {"blocked"}


def test_deciding_is_compare_and_set(seen: Case, rui: Person, ana: Person):
    basis = basis_of(seen, NAME)
    theirs = decide_on(ana, seen, NAME, "allowed", "case")
    with pytest.raises(DecidedMeanwhile) as refused:
        decide(
            actor=rui,
            case=seen,
            value=NAME,
            verdict="blocked",
            scope="everywhere",
            reason="Beacon",
            basis=basis,
        )
    assert (refused.value.current, refused.value.who) == (theirs, "Ana Sousa")


def test_undo_withdraws_and_makes_again_what_was_superseded(seen: Case, rui: Person, ana: Person):
    theirs = decide_on(ana, seen, NAME, "allowed")
    undone = undo(actor=rui, decision=decide_on(rui, seen, NAME, "blocked"))
    assert undone.remade is not None
    assert (undone.remade.verdict, undone.remade.proposer) == ("allowed", ana)
    assert undone.remade.pk != theirs.pk


def test_undo_is_refused_if_anyone_decided_since(seen: Case, rui: Person, ana: Person):
    mine = decide_on(rui, seen, NAME)
    decide_on(ana, seen, NAME, "allowed")
    with pytest.raises(UndoRefused) as refused:
        undo(actor=rui, decision=mine)
    assert refused.value.current is not None
    assert refused.value.current.proposer == ana


def test_closing_a_case_leaves_its_decisions_in_force(seen: Case, rui: Person):
    decision = decide_on(rui, seen, NAME, "blocked", "case")
    Case.objects.filter(pk=seen.pk).update(state=Case.State.CLOSED)
    assert decision in Decision.objects.in_force()


def test_every_step_is_an_entry(wide: Decision):
    told = Entry.objects.filter(subject_kind="decision", subject_id=str(wide.pk)).order_by("seq")
    assert [entry.event for entry in told] == ["cases:decision:proposed", "cases:decision:made"]
    assert Proposal.objects.get().state == "approved"
