"""Every sentence about verdicts that the design promises, a row each.

A world is written down as what was decided, then what is expected of one endpoint of the case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cases.actions import decide, expire_due, extend, undo, withdraw
from cases.bases import basis_of
from cases.explained import explain_endpoint, ruling_of
from cases.forms import FOREVER, YEAR, DecideForm
from cases.models import Case, CaseValue, Decision, Endpoint, KnownEntry, KnownList, Proposal, ReviewDue
from cases.preflight import preflight
from cases.proposal_actions import approve, reject
from cases.refusals import CannotApprove, CannotDecide, DecidedMeanwhile, ProposalMoved, UndoRefused
from cases.settling import resettle
from cases.state_actions import change_state
from cases.verdicts.settle import take_verdict_lock
from cases.verdicts.subject import read_subject
from cases.views.editor import editor_for
from cases.waiting import decisions_expiring_for
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from tests.cases.test_deciding import pass_expiry
from tests.cases.test_reviews import first_run, run_over
from tests.cases.verdicts.test_settle import put
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.roles import person_with

NAME, ADDRESS = "login.contoso.com", "40.1.2.3"


@dataclass(frozen=True)
class Decided:
    subject: str
    verdict: str
    scope: str = "everywhere"


def allow(subject: str, scope: str = "everywhere") -> Decided:
    return Decided(subject, "allowed", scope)


def block(subject: str, scope: str = "everywhere") -> Decided:
    return Decided(subject, "blocked", scope)


# (sentence, decisions in force, (address, name) of the endpoint, verdict)
VERDICTS: tuple[tuple[str, Sequence[Decided], tuple[str, str], str], ...] = (
    ("narrower scope wins: this case over this file",
     [block(NAME, "file"), allow(NAME, "case")], (ADDRESS, NAME), "allowed"),
    ("narrower scope wins: this file over everywhere",
     [block(NAME), allow(NAME, "file")], (ADDRESS, NAME), "allowed"),
    ("narrower scope wins before the more specific subject",
     [block(NAME), allow("*.contoso.com", "case")], (ADDRESS, NAME), "allowed"),
    ("then the more specific subject: exact over suffix",
     [block("*.contoso.com"), allow(NAME)], (ADDRESS, NAME), "allowed"),
    ("then the more specific subject: longer suffix over shorter",
     [allow("*.contoso.com"), block("*.login.contoso.com")], (ADDRESS, f"a.{NAME}"), "blocked"),
    ("then the more specific subject: longer prefix over shorter",
     [allow("40.0.0.0/8"), block("40.1.0.0/16")], (ADDRESS, ""), "blocked"),
    ("then the more specific subject: exact over network",
     [block("40.0.0.0/8"), allow(ADDRESS)], (ADDRESS, ""), "allowed"),
    ("an endpoint is blocked if its name is",
     [block(NAME), allow(ADDRESS)], (ADDRESS, NAME), "blocked"),
    ("an endpoint is blocked if its address is",
     [allow(NAME), block(ADDRESS)], (ADDRESS, NAME), "blocked"),
    ("otherwise the name governs: allowed if its name is allowed",
     [allow(NAME)], (ADDRESS, NAME), "allowed"),
    ("allowed if it has no name and its address is allowed",
     [allow(ADDRESS)], (ADDRESS, ""), "allowed"),
    ("an allowed address alone never clears a name",
     [allow(ADDRESS)], (ADDRESS, NAME), "undecided"),
    ("example.com is exact",
     [block("contoso.com")], (ADDRESS, NAME), "undecided"),
    ("*.example.com is example.com",
     [block("*.contoso.com")], (ADDRESS, "contoso.com"), "blocked"),
    ("*.example.com is everything below",
     [block("*.contoso.com")], (ADDRESS, NAME), "blocked"),
    ("and nothing that merely ends alike",
     [block("*.contoso.com")], (ADDRESS, "notcontoso.com"), "undecided"),
    ("without a decision a value is undecided",
     [], (ADDRESS, NAME), "undecided"),
    ("an address in the place of a name governs as a name",
     [allow("9.9.9.0/24")], (ADDRESS, "9.9.9.9"), "allowed"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "decided", "pair", "verdict"), VERDICTS, ids=[row[0] for row in VERDICTS]
)
@pytest.mark.parametrize("order", ["decided first", "seen first"])
def test_verdicts(
    sentence: str,
    decided: Sequence[Decided],
    pair: tuple[str, str],
    verdict: str,
    order: str,
    case: Case,
    rui: Person,
):
    if order == "seen first":
        merge_and_settle(case, row(*pair))
    take_verdict_lock()
    resettle([put(rui, case, each.subject, each.verdict, each.scope) for each in decided])
    if order == "decided first":
        merge_and_settle(case, row(*pair))
    endpoint = Endpoint.objects.select_related("file").get()
    assert endpoint.verdict == verdict, (sentence, explain_endpoint(endpoint))


@pytest.mark.parametrize("scope", ["case", "file"])
def test_candidates_are_those_whose_scope_covers_the_case_or_the_file(case: Case, rui: Person, scope: str):
    elsewhere = open_case(rui, "a.exe", "b.exe")
    merge_and_settle(case, row(ADDRESS, NAME))
    take_verdict_lock()
    resettle([put(rui, elsewhere, NAME, "blocked", scope, "b.exe")])
    assert Endpoint.objects.get(case=case).verdict == "undecided"


@pytest.mark.parametrize("state", ["over", "withdrawn"])
def test_candidates_are_the_decisions_in_force(case: Case, rui: Person, state: str):
    merge_and_settle(case, row(ADDRESS, NAME))
    take_verdict_lock()
    resettle([put(rui, case, NAME, state=state)])
    assert Endpoint.objects.get().verdict == "undecided"


def test_the_order_is_total(case: Case, rui: Person):
    ranks = [
        ruling_of(put(rui, case, subject, scope=scope)).rank
        for subject in (NAME, f"*.{NAME}", "*.contoso.com")
        for scope in ("case", "file", "everywhere")
    ]
    assert len(set(ranks)) == len(ranks)


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


def test_the_screen_says_so_in_words(case: Case, rui: Person):
    merge_and_settle(case, row(ADDRESS, NAME))
    for each in (allow("*.contoso.com", "case"), block(NAME), block("40.0.0.0/8")):
        put(rui, case, each.subject, each.verdict, each.scope)
    assert explain_endpoint(Endpoint.objects.select_related("file").get()) == (
        "Name: allowed by *.contoso.com in this case, over the block of login.contoso.com everywhere."
        " Address: blocked by 40.0.0.0/8 everywhere. So: blocked."
    )


@pytest.fixture
def seen(case: Case) -> Case:
    merge_and_settle(case, row(ADDRESS, NAME), row(ADDRESS))
    return case


@pytest.fixture
def lea(db: None) -> Person:
    return person_with(Role.LEAD, "lea")


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        (NAME, "*.com"),
        (NAME, "*"),
        (NAME, "*.co.uk"),
        (NAME, "*.github.io"),
        ("2001:db8::1", "2001::/18"),
        (ADDRESS, "40.0.0.0/7"),
        (ADDRESS, "0.0.0.0/0"),
        (ADDRESS, "::ffff:40.0.0.0/102"),
    ],
)
def test_refused_as_too_wide(seen: Case, rui: Person, value: str, typed: str):
    merge_and_settle(seen, row("2001:db8::1"))
    with pytest.raises(CannotDecide) as refused:
        decide_on(rui, seen, value, subject=typed)
    assert refused.value.field == "subject"


@pytest.mark.parametrize(
    ("value", "typed"),
    [(ADDRESS, "40.0.0.0/8"), (ADDRESS, "40.1.2.3/32"), (ADDRESS, ADDRESS), ("2001:db8::1", "2001::/19")],
)
def test_not_too_wide(seen: Case, rui: Person, value: str, typed: str):
    merge_and_settle(seen, row("2001:db8::1"))
    decide_on(rui, seen, value, subject=typed)


# Four eyes: (sentence, how it is asked for, whether a second person is needed)
def common(case: Case, devices: int = 1, cases: int = 0) -> None:
    names = [f"pc-{number:02}" for number in range(min(devices, 26))]
    of_row: dict[str, Any] = {"devices": devices, "device_names": names}
    merge_and_settle(case, row("", "common.contoso.com", **of_row))
    for _ in range(cases):
        merge_and_settle(open_case(case.owner, "a.exe"), row("", "common.contoso.com"))


@pytest.fixture
def good_list(db: None) -> None:
    """A known-good list that has contoso.com and everything below it."""
    known = KnownList.objects.create(
        slug="good",
        title="Good names",
        category=KnownList.Category.GOOD,
        origin=KnownList.Origin.FILE,
        entry_count=1,
        sha256="0" * 64,
        loaded_at=timezone.now(),
    )
    KnownEntry.objects.create(known_list=known, name="contoso.com", below=True)


@pytest.fixture
def every_block(settings: Any) -> None:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"second_person_everywhere_blocks": True})


NEEDS_TWO: tuple[tuple[str, dict[str, Any], dict[str, Any], bool], ...] = (
    ("an exact block of a rare value needs nobody else", {}, {}, False),
    ("wide: a star", {}, {"subject": "*.contoso.com"}, True),
    ("wide: a star in this case only", {}, {"subject": "*.contoso.com", "scope": "case"}, True),
    ("24 devices are not many", {"devices": 24}, {}, False),
    ("25 devices are", {"devices": 25}, {}, True),
    ("2 other cases are not many", {"cases": 2}, {}, False),
    ("3 other cases are", {"cases": 3}, {}, True),
)  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "world", "asked", "needed"), NEEDS_TWO, ids=[each[0] for each in NEEDS_TWO]
)
def test_four_eyes_in_proportion(
    sentence: str, world: dict[str, Any], asked: dict[str, Any], needed: bool, case: Case, rui: Person
):
    common(case, **world)
    decision = decide_on(rui, case, "common.contoso.com", **asked)
    assert (decision.state == Decision.State.PROPOSED) == needed, sentence


def test_four_eyes_for_a_network(seen: Case, rui: Person):
    assert decide_on(rui, seen, ADDRESS, subject="40.1.2.0/24").state == "proposed"


@pytest.mark.parametrize(("verdict", "state"), [("blocked", "proposed"), ("allowed", "in force")])
def test_four_eyes_for_what_contradicts_a_known_good_list(
    seen: Case, rui: Person, verdict: str, state: str, good_list: None
):
    assert decide_on(rui, seen, NAME, verdict).state == state


def test_four_eyes_name_the_block_of_a_wider_scope_that_would_be_overridden(seen: Case, rui: Person):
    decide_on(rui, seen, NAME, "blocked", "everywhere")
    wide = decide_on(rui, seen, NAME, "allowed", "case", subject="*.contoso.com")
    assert "It overrides the block of login.contoso.com, everywhere." in wide.proposals.get().why


def test_four_eyes_for_every_everywhere_block_by_a_setting(seen: Case, rui: Person, every_block: None):
    assert decide_on(rui, seen, NAME, "blocked", "everywhere").state == "proposed"
    assert decide_on(rui, seen, ADDRESS, "blocked", "case").state == "in force"


def test_four_eyes_for_widening(seen: Case, rui: Person):
    decide_on(rui, seen, NAME)
    assert decide_on(rui, seen, NAME, subject="*.contoso.com").state == "proposed"


@pytest.fixture
def wide(seen: Case, rui: Person, lea: Person) -> Decision:
    """A wide block in force."""
    decision = decide_on(
        rui, seen, NAME, subject="*.contoso.com", expires_at=timezone.now() + timedelta(days=9)
    )
    return approve(actor=lea, proposal=decision.proposals.get())


def test_four_eyes_for_extending(wide: Decision, rui: Person):
    longer = extend(actor=rui, decision=wide, expires_at=None, reason="For good")
    assert longer.state == "proposed"


def test_four_eyes_for_withdrawing(wide: Decision, lea: Person):
    assert withdraw(actor=lea, decision=wide, reason="Was a test") is not None
    wide.refresh_from_db()
    assert wide.state == "in force"


def test_four_eyes_for_superseding(seen: Case, wide: Decision, rui: Person):
    assert decide_on(rui, seen, NAME, "allowed", subject="*.contoso.com").state == "proposed"


def test_the_proposer_never_approves(seen: Case, lea: Person):
    decision = decide_on(lea, seen, NAME, subject="*.contoso.com")
    with pytest.raises(CannotApprove):
        approve(actor=lea, proposal=decision.proposals.get())


def test_a_proposal_stores_what_it_was_judged_on_and_is_refused_when_that_moved(
    seen: Case, rui: Person, lea: Person
):
    proposal = decide_on(rui, seen, NAME, subject="*.contoso.com").proposals.get()
    assert proposal.judged_on["moves"]
    merge_and_settle(seen, row("", "new.contoso.com"))
    with pytest.raises(ProposalMoved):
        approve(actor=lea, proposal=proposal)


def test_a_decision_of_an_analyst_is_always_a_proposal(seen: Case):
    assert decide_on(person_with(Role.ANALYST, "aldo"), seen, NAME).state == "proposed"


def test_every_decision_has_a_reason(seen: Case, rui: Person):
    with pytest.raises(CannotDecide) as refused:
        decide_on(rui, seen, NAME, reason=" ")
    assert refused.value.field == "reason"


def test_a_rejection_has_a_reason(seen: Case, rui: Person, lea: Person):
    proposal = decide_on(rui, seen, NAME, subject="*.contoso.com").proposals.get()
    with pytest.raises(CannotDecide):
        reject(actor=lea, proposal=proposal, reason="")


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
