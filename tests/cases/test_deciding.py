from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cases.actions import decide, expire_due, undo, withdraw
from cases.bases import bases_of, basis_of
from cases.case_actions import visit
from cases.models import Case, CaseFile, Decision, Endpoint
from cases.proposal_actions import approve, reject
from cases.refusals import CannotDecide, DecidedMeanwhile
from cases.tasks import expire_decisions
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor, NestedChange, change
from tests.cases.world import decide_on, events_of, merge_and_settle, open_case, row, value_of, verdict_of
from tests.roles import person_with


@pytest.fixture(autouse=True)
def seen(case: Case) -> None:
    merge_and_settle(
        case,
        row("1.1.1.1", "a.example"),
        row("2.2.2.2", "a.example", file="b.exe"),
        row("1.1.1.1"),
        row("", "two words"),
        row("3.3.3.3", "9.9.9.9"),
    )


def test_blocking_a_name_blocks_its_endpoints(case: Case, rui: Person):
    decision = decide_on(rui, case, "a.example", "blocked")
    assert verdict_of(case, "a.example") == "blocked"
    assert {each.name_decision_id for each in Endpoint.objects.filter(dns="a.example")} == {decision.pk}
    assert not value_of(case, "a.example").is_open


def test_allowing_a_name_leaves_other_values_alone(case: Case, rui: Person):
    decide_on(rui, case, "a.example", "allowed", "case")
    assert verdict_of(case, "a.example") == "allowed"
    assert verdict_of(case, "1.1.1.1") == "undecided"


def test_blocking_an_address_blocks_the_names_on_it(case: Case, rui: Person):
    decide_on(rui, case, "1.1.1.1", "blocked")
    assert verdict_of(case, "1.1.1.1") == "blocked"
    value = value_of(case, "a.example")
    assert (value.verdict, value.blocked, value.undecided) == ("undecided", 1, 1)


def test_an_allowed_address_clears_no_name(case: Case, rui: Person):
    decide_on(rui, case, "1.1.1.1", "allowed")
    assert verdict_of(case, "1.1.1.1") == "allowed"
    assert verdict_of(case, "a.example") == "undecided"


def test_a_text_is_decided_as_it_stands(case: Case, rui: Person):
    decision = decide_on(rui, case, "two words", "blocked")
    assert (decision.subject_kind, verdict_of(case, "two words")) == ("text", "blocked")


def test_an_address_in_the_place_of_a_name_is_decided_as_an_address(case: Case, rui: Person):
    decision = decide_on(rui, case, "9.9.9.9", "allowed")
    assert (decision.subject_kind, verdict_of(case, "9.9.9.9")) == ("address", "allowed")


def test_a_decision_for_a_file_leaves_other_files_alone(case: Case, rui: Person, a_exe: CaseFile):
    decide_on(rui, case, "a.example", "allowed", "file", file=a_exe)
    found = dict(Endpoint.objects.filter(dns="a.example").values_list("file__key", "verdict"))
    assert found == {"a.exe": "allowed", "b.exe": "undecided"}


def test_a_decision_for_a_file_reaches_other_cases_that_name_it(
    case: Case, other_case: Case, rui: Person, a_exe: CaseFile
):
    merge_and_settle(other_case, row("5.5.5.5", "a.example"))
    decide_on(rui, case, "a.example", "blocked", "file", file=a_exe)
    assert verdict_of(other_case, "a.example") == "blocked"


@pytest.mark.parametrize(("scope", "verdict"), [("everywhere", "blocked"), ("case", "undecided")])
def test_only_everywhere_reaches_other_cases(
    case: Case, other_case: Case, rui: Person, scope: str, verdict: str
):
    merge_and_settle(other_case, row("5.5.5.5", "a.example"))
    decide_on(rui, case, "a.example", "blocked", scope)
    assert verdict_of(other_case, "a.example") == verdict


def test_a_decision_acts_on_what_comes_later(case: Case, rui: Person):
    decide_on(rui, case, "a.example", "blocked")
    later = open_case(rui, "c.exe")
    merge_and_settle(later, row("7.7.7.7", "a.example", file="c.exe"))
    assert verdict_of(later, "a.example") == "blocked"


def test_deciding_again_supersedes(case: Case, rui: Person, ana: Person):
    first = decide_on(rui, case, "a.example", "blocked")
    second = decide_on(ana, case, "a.example", "allowed")
    first.refresh_from_db()
    assert (first.state, first.ended_by, second.supersedes) == (Decision.State.SUPERSEDED, ana, first)
    assert verdict_of(case, "a.example") == "allowed"


def test_scopes_stand_beside_each_other(case: Case, rui: Person):
    decide_on(rui, case, "a.example", "blocked", "everywhere")
    decide_on(rui, case, "a.example", "allowed", "case")
    assert Decision.objects.in_force().count() == 2
    assert verdict_of(case, "a.example") == "allowed"


def test_a_decision_after_an_expired_one_supersedes_nothing(case: Case, rui: Person):
    first = decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1))
    pass_expiry(first)
    second = decide_on(rui, case, "a.example", "allowed")
    first.refresh_from_db()
    assert (first.state, first.ended_by, second.supersedes) == (Decision.State.EXPIRED, None, None)


# Compare and set


def test_the_basis_is_what_covers_the_case(case: Case, other_case: Case, rui: Person, a_exe: CaseFile):
    merge_and_settle(other_case, row("1.1.1.1", "a.example"))
    assert basis_of(case, "a.example") == ""
    everywhere = decide_on(rui, case, "a.example", scope="everywhere")
    of_file = decide_on(rui, case, "a.example", scope="file", file=a_exe)
    of_case = decide_on(rui, case, "a.example", scope="case")
    decide_on(rui, other_case, "a.example", scope="case")
    decide_on(rui, case, "1.1.1.1")
    assert basis_of(case, "a.example") == f"{everywhere.pk},{of_file.pk},{of_case.pk}"
    assert bases_of(case, ["a.example", "9.9.9.9"]) == {
        "a.example": basis_of(case, "a.example"),
        "9.9.9.9": "",
    }


def test_an_expired_decision_is_no_basis(case: Case, rui: Person):
    pass_expiry(decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1)))
    assert basis_of(case, "a.example") == ""


def test_deciding_on_a_stale_basis_says_who_what_and_when(case: Case, rui: Person, ana: Person):
    seen_by_ana = basis_of(case, "a.example")
    theirs = decide_on(rui, case, "a.example", "blocked")
    entries = Entry.objects.count()
    with pytest.raises(DecidedMeanwhile) as refused:
        decide_on(ana, case, "a.example", "allowed", basis=seen_by_ana)
    assert refused.value.current == theirs
    assert (refused.value.who, refused.value.when) == ("Rui Alves", theirs.made_at)
    assert refused.value.what == "block of a.example, everywhere"
    assert (Entry.objects.count(), verdict_of(case, "a.example")) == (entries, "blocked")


def test_a_decision_that_went_away_meanwhile_is_told_too(case: Case, rui: Person, ana: Person):
    theirs = decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1))
    seen_by_ana = basis_of(case, "a.example")
    pass_expiry(theirs)
    expire_due()
    with pytest.raises(DecidedMeanwhile) as refused:
        decide_on(ana, case, "a.example", basis=seen_by_ana)
    assert refused.value.current is None
    assert (refused.value.who, refused.value.what) == (
        "the clock",
        "block of a.example, everywhere (expired)",
    )


@pytest.mark.parametrize("basis", ["x", "-1", "9" * 40, "1,2,3", "²"])
def test_a_made_up_basis_is_a_stale_one(case: Case, rui: Person, basis: str):
    with pytest.raises(DecidedMeanwhile):
        decide_on(rui, case, "a.example", basis=basis)


# Refusals


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("reason", {"reason": ""}),
        ("reason", {"reason": " \n\t"}),
        ("reason", {"reason": "a\0b"}),
        ("reason", {"reason": "a\ud800b"}),
        ("verdict", {"verdict": "undecided"}),
        ("verdict", {"verdict": "maybe"}),
        ("scope", {"scope": "planet"}),
        ("file", {"scope": "file"}),
        ("value", {"value": "unknown.example"}),
        ("value", {"value": "a\0b"}),
        ("value", {"value": "a\ud800b"}),
        ("value", {"value": ""}),
        ("expires_at", {"expires_at": timezone.now() - timedelta(seconds=1)}),
    ],
)
def test_what_cannot_be_decided_names_the_field_and_writes_nothing(
    case: Case, rui: Person, field: str, given: dict[str, Any]
):
    whole = {
        "value": "a.example",
        "verdict": "blocked",
        "scope": "everywhere",
        "reason": "because",
        "basis": "",
    }
    entries = Entry.objects.count()
    with pytest.raises(CannotDecide) as refused:
        decide(actor=rui, case=case, **(whole | given))
    assert refused.value.field == field
    assert refused.value.message
    assert (Decision.objects.count(), Entry.objects.count()) == (0, entries)


def test_a_file_of_another_case_is_refused(case: Case, other_case: Case, rui: Person):
    with pytest.raises(CannotDecide) as refused:
        decide_on(rui, case, "a.example", scope="file", file=other_case.files.get())
    assert refused.value.field == "file"


def test_a_closed_case_is_not_decided_in(case: Case, rui: Person):
    Case.objects.filter(pk=case.pk).update(state=Case.State.CLOSED)
    with pytest.raises(CannotDecide):
        decide_on(rui, case, "a.example")


def test_an_action_inside_another_change_is_refused(case: Case, rui: Person):
    with pytest.raises(NestedChange), change(actor=Actor.person(rui)):
        decide_on(rui, case, "a.example")


# Expiry


def test_expiry_makes_undecided_again_and_writes_an_entry(case: Case, rui: Person):
    decision = decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1))
    pass_expiry(decision)
    assert expire_due() == 1
    assert expire_due() == 0
    decision.refresh_from_db()
    assert (decision.state, verdict_of(case, "a.example")) == (Decision.State.EXPIRED, "undecided")
    entry = Entry.objects.order_by("seq").last()
    assert entry is not None
    assert (entry.event, entry.actor_kind, entry.actor_id) == (
        "cases:decision:expired",
        "clock",
        "expire_decisions",
    )
    assert entry.content["after"]["effect"] == {
        "endpoints": {"blocked to undecided": 2},
        "values": 1,
        "cases": 1,
    }


def test_what_an_expiry_uncovers_counts_again(case: Case, rui: Person):
    decide_on(rui, case, "a.example", "blocked", "everywhere")
    over = decide_on(rui, case, "a.example", "allowed", "case", expires_at=timezone.now() + timedelta(days=1))
    pass_expiry(over)
    expire_due()
    assert verdict_of(case, "a.example") == "blocked"


def test_a_decision_within_its_time_stays(case: Case, rui: Person):
    decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1))
    assert expire_due() == 0
    assert verdict_of(case, "a.example") == "blocked"


def test_the_task_expires(case: Case, rui: Person):
    pass_expiry(decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1)))
    expire_decisions()
    assert verdict_of(case, "a.example") == "undecided"


# Ledger


def test_deciding_leaves_one_entry_with_everything_in_it(case: Case, other_case: Case, rui: Person):
    merge_and_settle(other_case, row("1.1.1.1", "a.example"))
    decision = decide_on(rui, case, "a.example", "blocked", reason="Beacons every five minutes")
    entry = Entry.objects.get(event="cases:decision:made")
    assert (entry.actor_name, entry.case_number, entry.reason) == (
        "Rui Alves",
        case.pk,
        "Beacons every five minutes",
    )
    assert (entry.subject_id, entry.subject_name) == (str(decision.pk), "block of a.example, everywhere")
    assert entry.content["before"] == {"verdict": "undecided"}
    after = entry.content["after"]
    assert (after["verdict"], after["subject"], after["scope"], after["state"]) == (
        "blocked",
        "a.example",
        "everywhere",
        "in force",
    )
    assert after["effect"] == {"endpoints": {"undecided to blocked": 3}, "values": 2, "cases": 2}


def test_superseding_leaves_an_entry_for_each_side(case: Case, rui: Person):
    first = decide_on(rui, case, "a.example", "blocked")
    second = decide_on(rui, case, "a.example", "allowed")
    assert events_of()[-2:] == ["cases:decision:superseded", "cases:decision:made"]
    ended = Entry.objects.get(event="cases:decision:superseded").content
    assert ended["subject"]["id"] == str(first.pk)
    assert (ended["before"]["state"], ended["after"]["state"]) == ("in force", "superseded")
    assert ended["after"]["superseded_by"] == second.pk


def test_opening_a_case_leaves_an_entry_with_its_files(rui: Person):
    case = open_case(rui, "x.exe", "y.exe", "x.exe")
    assert [file.key for file in case.files.all()] == ["x.exe", "y.exe"]
    entry = Entry.objects.get(event="cases:case:opened", case_number=case.pk)
    assert entry.content["after"]["files"] == [["name", "x.exe"], ["name", "y.exe"]]


def test_a_visit_tells_the_one_before(case: Case, rui: Person):
    assert visit(person=rui, case=case) is None
    first = rui.visits.get().at
    assert visit(person=rui, case=case) == first


def pass_expiry(decision: Decision) -> None:
    """As if time had gone by: the database's own clock decides, and it cannot be turned."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_decision SET expires_at = statement_timestamp() - interval '1 ms' WHERE id = %s",
            [decision.pk],
        )


def test_the_conflict_tells_the_last_change_though_it_left_nothing(case: Case, rui: Person, ana: Person):
    merge_and_settle(case, row(dns="a.example"))
    decide_on(rui, case, "a.example")
    basis = basis_of(case, "a.example")
    theirs = decide_on(ana, case, "a.example", "allowed")
    withdraw(actor=rui, decision=theirs, reason="Was wrong")
    with pytest.raises(DecidedMeanwhile) as refused:
        decide_on(rui, case, "a.example", basis=basis)
    told = refused.value
    assert (told.current, told.who) == (None, "Rui Alves")
    assert told.what == f"{theirs} (withdrawn)"
    assert told.when is not None


def test_the_conflict_tells_that_the_clock_ended_it(case: Case, rui: Person):
    merge_and_settle(case, row(dns="a.example"))
    decision = decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1))
    basis = basis_of(case, "a.example")
    over = timezone.now() - timedelta(minutes=1)
    Decision.objects.filter(pk=decision.pk).update(made_at=over - timedelta(days=1), expires_at=over)
    with pytest.raises(DecidedMeanwhile) as refused:
        decide_on(rui, case, "a.example", basis=basis)
    assert (refused.value.who, refused.value.when) == ("the clock", over)


def test_a_refused_proposal_is_no_change(case: Case, rui: Person, ana: Person):
    merge_and_settle(case, row(dns="a.corp.example"))
    basis = basis_of(case, "a.corp.example")
    theirs = decide_on(ana, case, "a.corp.example", "allowed", "case")
    wide = decide_on(rui, case, "a.corp.example", subject="*.corp.example", scope="case")
    reject(actor=ana, proposal=wide.proposals.get(), reason="Too wide")
    with pytest.raises(DecidedMeanwhile) as refused:
        decide_on(rui, case, "a.corp.example", basis=basis)
    assert refused.value.what == str(theirs)


def test_an_approved_decision_is_told_though_its_withdrawal_was_rejected(
    case: Case, rui: Person, ana: Person
):
    merge_and_settle(case, row(dns="a.corp.example"))
    lea = person_with(Role.LEAD, "lea")
    wide = decide_on(ana, case, "a.corp.example", subject="*.corp.example", scope="case")
    basis = basis_of(case, "a.corp.example")
    approve(actor=lea, proposal=wide.proposals.get())
    withdrawal = withdraw(actor=ana, decision=wide, reason="Too wide")
    assert withdrawal is not None
    reject(actor=lea, proposal=withdrawal, reason="It is not")
    with pytest.raises(DecidedMeanwhile) as refused:
        decide_on(rui, case, "a.corp.example", basis=basis)
    assert (refused.value.who, refused.value.what) == (str(lea), f"{wide}, proposed by Ana Sousa")


def test_an_expiry_beyond_ten_years_is_refused(case: Case, rui: Person):
    merge_and_settle(case, row(dns="a.example"))
    with pytest.raises(CannotDecide, match="10 years ahead") as refused:
        decide_on(rui, case, "a.example", expires_at=datetime(9999, 12, 31, tzinfo=UTC))
    assert refused.value.field == "expires_at"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("x" * 2_001, "at most 2,000"),
        ("good\u202etxt.exe", "u202e"),
        ("a\x07b", "u0007"),
        ("a\x00b", "u0000"),
        (" \n", "Give a reason"),
    ],
)
def test_a_reason_that_nobody_can_read_is_refused(case: Case, rui: Person, reason: str, said: str):
    merge_and_settle(case, row(dns="a.example"))
    with pytest.raises(CannotDecide, match=said) as refused:
        decide_on(rui, case, "a.example", reason=reason)
    assert refused.value.field == "reason"


def test_undoing_tells_the_verdict_that_the_value_had(case: Case, rui: Person):
    merge_and_settle(case, row(dns="a.example"))
    decide_on(rui, case, "a.example", "blocked", "case")
    decide_on(rui, case, "a.example", "blocked", "everywhere")
    undo(actor=rui, decision=decide_on(rui, case, "a.example", "allowed", "everywhere"))
    made = Entry.objects.filter(event="cases:decision:made").latest("seq")
    assert made.content["before"]["verdict"] == "blocked"
