from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases.intake_actions import SMALL_LIST, CannotTakeIn, confirm, shown_of, stop
from cases.intakes import landing
from cases.intakes.landing import land_step, land_waiting
from cases.models import Case, Decision, Intake, IntakeLine, Proposal
from cases.proposal_actions import approve
from cases.rebuilding import differences
from cases.refusals import CannotDecide
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from tests.cases.intakes.test_taking_in import taken
from tests.cases.views.test_decision_list import made
from tests.cases.world import merge_and_settle, row, verdict_of
from tests.roles import client_of, person_with


@pytest.fixture
def lea(db: None) -> Person:
    return person_with(Role.LEAD, "lea")


def landed(actor: Person, text: str, verdict: str = "blocked", **more: Any) -> Intake:
    given: dict[str, Any] = {"reason": "List of the hoster"} | more
    intake = taken(actor, text, verdict)
    confirm(actor=actor, intake=intake, **given)
    land_waiting()
    return Intake.objects.get(pk=intake.pk)


def outcomes(intake: Intake) -> list[str]:
    return list(intake.entries.order_by("place").values_list("outcome", flat=True))


def in_force() -> set[str]:
    return {decision.subject_typed for decision in Decision.objects.in_force()}


def test_new_lines_become_decisions_everywhere(rui: Person) -> None:
    intake = landed(rui, "a.example\n203.0.113.7\nno name\n")
    assert (intake.state, outcomes(intake)) == ("landed", ["made", "made", ""])
    assert in_force() == {"a.example", "203.0.113.7"}
    decision = Decision.objects.get(subject="a.example")
    assert (decision.scope, decision.made_in, decision.verdict) == ("everywhere", None, "blocked")
    assert (decision.reason, decision.proposer) == ("List of the hoster", rui)


def test_what_a_list_calls_a_text_is_none_where_it_is_a_name_or_an_address(rui: Person) -> None:
    intake = landed(rui, "value,kind\nevil.example,text\nevil.example,name\n203.0.113.9,text\n")
    assert outcomes(intake) == ["", "made", ""]
    assert list(Decision.objects.values_list("subject_kind", "subject")) == [("name", "evil.example")]


def test_each_decision_tells_the_list_and_its_hash_in_the_ledger(rui: Person) -> None:
    intake = landed(rui, "a.example\n")
    entry = Entry.objects.get(event="cases:decision:made")
    assert entry.content["after"]["intake"] == intake.pk
    assert entry.content["after"]["sha256"] == intake.sha256
    last = Entry.objects.get(event="cases:intake:landed")
    assert last.content["after"]["outcomes"] == {"made": 1}


def test_the_ledger_rebuilds_what_was_imported(rui: Person) -> None:
    landed(rui, "a.example\n*.b.example\n203.0.113.7\n")
    landed(rui, "a.example\n", "allowed", takes_over=True)
    assert [str(each) for each in differences()] == []


def test_what_cases_have_seen_is_settled(rui: Person, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"), row("203.0.113.7"), row(dns="other.example"))
    landed(rui, "a.example\n203.0.113.7\n")
    assert verdict_of(case, "a.example") == verdict_of(case, "203.0.113.7") == "blocked"
    assert verdict_of(case, "other.example") == "undecided"


def test_what_is_known_or_contradicts_is_left_alone(rui: Person) -> None:
    known, contrary = made(rui, "a.example"), made(rui, "b.example", verdict="allowed")
    intake = landed(rui, "a.example\nb.example\nc.example\n")
    assert outcomes(intake) == ["", "", "made"]
    assert set(Decision.objects.in_force()) >= {known, contrary}


def test_contradicting_lines_are_decided_when_asked_for(rui: Person) -> None:
    contrary = made(rui, "b.example", verdict="allowed")
    landed(rui, "b.example\n", takes_over=True)
    contrary.refresh_from_db()
    assert contrary.state == "superseded"
    decision = Decision.objects.in_force().get()
    assert (decision.verdict, decision.supersedes) == ("blocked", contrary)
    events = set(Entry.objects.values_list("event", flat=True))
    assert {"cases:decision:superseded", "cases:decision:made"} <= events


def test_a_block_everywhere_is_replaced_by_a_list_only_with_a_second_person(rui: Person, lea: Person) -> None:
    theirs = made(lea, "b.example", verdict="blocked")
    intake = landed(rui, "b.example\n", "allowed", takes_over=True)
    assert outcomes(intake) == ["proposed"]
    assert "It replaces a block in force everywhere." in IntakeLine.objects.get(intake=intake).why
    assert theirs in Decision.objects.in_force()


def test_a_block_whose_time_is_over_is_no_longer_replaced(rui: Person) -> None:
    made(rui, "a.example", expires_at=timezone.now() - timedelta(minutes=1))
    assert outcomes(landed(rui, "a.example\n", "allowed", takes_over=True)) == ["made"]


def test_what_was_decided_between_preview_and_landing_stays(rui: Person) -> None:
    intake = taken(rui, "a.example\nb.example\nc.example\n")
    confirm(actor=rui, intake=intake, reason="List")
    made(rui, "a.example")
    contrary = made(rui, "b.example", verdict="allowed")
    land_waiting()
    assert outcomes(intake) == ["known since", "left", "made"]
    assert "Decided meanwhile: allow of b.example" in IntakeLine.objects.get(place=2).why
    assert contrary in Decision.objects.in_force()


def test_an_expired_decision_makes_room(rui: Person) -> None:
    past = made(rui, "a.example", expires_at=timezone.now() - timedelta(minutes=1))
    landed(rui, "a.example\n")
    past.refresh_from_db()
    assert past.state == "expired"
    assert in_force() == {"a.example"}


def test_what_needs_a_second_person_becomes_a_proposal(rui: Person) -> None:
    intake = landed(rui, "a.example\n*.b.example\n203.0.113.0/24\n")
    assert outcomes(intake) == ["made", "proposed", "proposed"]
    assert in_force() == {"a.example"}
    assert Proposal.objects.waiting().count() == 2
    assert "It is wide" in IntakeLine.objects.get(place=2).why


def test_what_is_proposed_already_is_left_alone(rui: Person) -> None:
    landed(rui, "*.b.example\n")
    assert outcomes(landed(rui, "*.b.example\n")) == ["left"]
    assert Proposal.objects.waiting().count() == 1


def test_a_step_makes_few_proposals(rui: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "MOST_PROPOSED", 2)
    intake = taken(rui, "a.example\n*.b.example\n*.c.example\n*.d.example\ne.example\n*.f.example\n")
    confirm(actor=rui, intake=intake, reason="List")
    assert land_step(intake.pk)
    intake.refresh_from_db()
    assert (intake.position, intake.done) == (3, 3)
    land_waiting()
    intake.refresh_from_db()
    assert (intake.state, intake.done, intake.total) == ("landed", 6, 6)
    assert outcomes(intake) == ["made", "proposed", "proposed", "proposed", "made", "proposed"]


def test_it_goes_on_where_a_lost_worker_ended(rui: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "STEP", 2)
    intake = taken(rui, "\n".join(f"n{number}.example" for number in range(5)))
    confirm(actor=rui, intake=intake, reason="List")
    assert land_step(intake.pk)
    intake.refresh_from_db()
    assert (intake.done, len(in_force())) == (2, 2)
    land_waiting()
    assert len(in_force()) == Decision.objects.count() == 5


def test_a_stopped_list_keeps_what_has_landed(rui: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "STEP", 2)
    intake = taken(rui, "\n".join(f"n{number}.example" for number in range(5)))
    confirm(actor=rui, intake=intake, reason="List")
    land_step(intake.pk)
    stop(actor=rui, intake=intake)
    assert not land_step(intake.pk)
    assert len(in_force()) == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"is_active": False}, "no longer active"),
        ({"role": Role.ANALYST}, "may no longer import"),
        ({"role": Role.READER}, "may no longer import"),
    ],
)
def test_it_stops_when_who_confirmed_it_may_no_longer_decide(
    rui: Person, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr(landing, "STEP", 2)
    intake = taken(rui, "\n".join(f"n{number}.example" for number in range(5)))
    confirm(actor=rui, intake=intake, reason="List")
    land_step(intake.pk)
    Person.objects.filter(pk=rui.pk).update(**changes)
    assert not land_step(intake.pk)
    intake.refresh_from_db()
    assert (intake.state, len(in_force())) == ("stopped", 2)
    assert said in intake.said
    assert Entry.objects.get(event="cases:intake:stopped").actor_kind == "clock"


def test_a_large_list_stops_when_who_confirmed_it_is_no_longer_a_lead(lea: Person) -> None:
    intake = taken(lea, "\n".join(f"n{number}.example" for number in range(SMALL_LIST + 1)))
    confirm(actor=lea, intake=intake, reason="List")
    Person.objects.filter(pk=lea.pk).update(role=Role.REVIEWER)
    land_waiting()
    intake.refresh_from_db()
    assert (intake.state, Decision.objects.count()) == ("stopped", 0)
    assert "no longer a lead" in intake.said


def test_an_expiry_that_passes_meanwhile_stops_it(rui: Person) -> None:
    intake = taken(rui, "a.example\n")
    confirm(actor=rui, intake=intake, reason="List", expires_at=timezone.now() + timedelta(hours=1))
    Intake.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    land_waiting()
    intake.refresh_from_db()
    assert (intake.state, intake.said) == ("stopped", "The expiry that was chosen has passed.")
    assert not Decision.objects.exists()


def test_a_reviewer_confirms_small_lists_and_a_lead_any(rui: Person, lea: Person) -> None:
    intake = taken(rui, "\n".join(f"n{number}.example" for number in range(SMALL_LIST + 1)))
    with pytest.raises(CannotTakeIn, match="by a lead"):
        confirm(actor=rui, intake=intake, reason="List")
    confirm(actor=lea, intake=intake, reason="List")
    land_waiting()
    assert Decision.objects.in_force().filter(proposer=lea).count() == SMALL_LIST + 1


@pytest.mark.parametrize(("reason", "days"), [(" ", 1), ("List", -1), ("List", 366 * 11), ("a\0b", 1)])
def test_a_bad_reason_or_expiry_starts_nothing(rui: Person, reason: str, days: int) -> None:
    intake = taken(rui, "a.example\n")
    with pytest.raises(CannotDecide):
        confirm(actor=rui, intake=intake, reason=reason, expires_at=timezone.now() + timedelta(days=days))
    assert Intake.objects.get().state == "draft"


def test_nothing_to_decide_is_not_confirmed(rui: Person) -> None:
    made(rui, "a.example")
    with pytest.raises(CannotTakeIn, match="No line"):
        confirm(actor=rui, intake=taken(rui, "a.example\n"), reason="List")


def test_it_is_confirmed_once(rui: Person) -> None:
    intake = taken(rui, "a.example\n")
    confirm(actor=rui, intake=intake, reason="List")
    with pytest.raises(CannotTakeIn):
        confirm(actor=rui, intake=intake, reason="List")


def test_a_step_asks_as_often_for_many_lines_as_for_few(
    rui: Person, django_assert_max_num_queries: Any
) -> None:
    intake = taken(rui, "\n".join(f"n{number}.example" for number in range(100)))
    confirm(actor=rui, intake=intake, reason="List")
    with django_assert_max_num_queries(45):
        land_step(intake.pk)


def test_a_lead_approves_what_a_list_proposed(rui: Person, lea: Person, case: Case) -> None:
    merge_and_settle(case, row(dns="www.b.example"))
    landed(rui, "*.b.example\n")
    decision = approve(actor=lea, proposal=Proposal.objects.waiting().get())
    assert (decision.state, decision.approver, decision.made_in) == ("in force", lea, None)
    assert verdict_of(case, "www.b.example") == "blocked"


def test_what_a_list_decided_is_undone_from_the_queue_of_any_case(rui: Person, case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    landed(rui, "a.example\n")
    decision = Decision.objects.in_force().get()
    site = client_of(rui)
    assert f"/cases/{case.pk}/decisions/{decision.pk}/undo" in site.get(f"/cases/{case.pk}/").content.decode()
    site.post(f"/cases/{case.pk}/decisions/{decision.pk}/undo")
    assert verdict_of(case, "a.example") == "undecided"


def test_the_ledger_tells_no_verdict_of_a_value_that_no_case_names(rui: Person) -> None:
    made(rui, "b.example", verdict="allowed")
    landed(rui, "b.example\n", takes_over=True)
    entry = Entry.objects.filter(event="cases:decision:made").latest("seq")
    assert entry.content["before"]["verdict"] == ""


def test_equal_counts_of_other_lines_are_looked_at_again(rui: Person) -> None:
    contrary = made(rui, "a.example", verdict="allowed")
    intake = taken(rui, "a.example\nb.example\n")
    seen = shown_of(intake)
    end(contrary)
    made(rui, "b.example", verdict="allowed")
    with pytest.raises(CannotTakeIn, match="Decisions have changed"):
        confirm(actor=rui, intake=intake, reason="List", seen=seen)


def test_a_contradiction_by_another_decision_is_looked_at_again(rui: Person) -> None:
    contrary = made(rui, "a.example", verdict="allowed")
    intake = taken(rui, "a.example\nb.example\n")
    seen = shown_of(intake)
    end(contrary)
    made(rui, "a.example", verdict="allowed")
    with pytest.raises(CannotTakeIn, match="Decisions have changed"):
        confirm(actor=rui, intake=intake, reason="List", seen=seen)


def end(decision: Decision) -> None:
    Decision.objects.filter(pk=decision.pk).update(state="withdrawn", ended_at=timezone.now())
