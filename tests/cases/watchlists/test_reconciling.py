from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from cases.actions import undo
from cases.models import Case, Decision
from cases.watchlists import actions, publishing, reconciling, spending
from cases.watchlists.holding import claim, to_reconcile
from cases.watchlists.models import Enforcement, Receipt, Reconciliation, Spending, Target, Watchlist
from cases.watchlists.target_actions import (
    ask_for_dry_run,
    change_target,
    pause_target,
    resume_target,
    retire_target,
)
from footprint.accounts.models import Person
from footprint.azure.errors import BadSetting
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from tests.cases.test_deciding import pass_expiry
from tests.cases.watchlists.targets.places import ALIAS, KINDS, add_by_hand, values_there
from tests.cases.watchlists.worlds import allow_lab, block, publish, receipts, reconcile, target_at
from tests.cases.world import decide_on, merge_and_settle, row
from tests.lab.faults import FOREVER, Kind
from tests.lab.server import Lab


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_lab(monkeypatch)


both_kinds = pytest.mark.parametrize("kind", KINDS)


@both_kinds
def test_what_is_published_gets_there_with_a_receipt_each(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example", "198.51.101.7")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    record = reconcile(target)
    assert values_there(lab, kind) == ["198.51.101.7", "a.example"]
    assert receipts(target) == {"a.example": "accepted", "198.51.101.7": "accepted"}
    assert (record.ended, record.added, target.stand, target.seen) == ("same", 2, "same", 1)


@both_kinds
def test_a_reversed_decision_is_withdrawn(lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case):
    block(rui, case, "a.example", "b.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    publish(blocks)
    record = reconcile(target)
    assert values_there(lab, kind) == ["b.example"]
    assert receipts(target) == {"a.example": "withdrawn", "b.example": "accepted"}
    assert record.withdrawn == 1


@both_kinds
def test_an_expired_decision_is_withdrawn(lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case):
    merge_and_settle(case, row(dns="a.example"))
    decision = decide_on(rui, case, "a.example", expires_at=timezone.now() + timedelta(days=1))
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    pass_expiry(decision)
    publish(blocks)
    reconcile(target)
    assert values_there(lab, kind) == []
    assert receipts(target) == {"a.example": "withdrawn"}


@both_kinds
def test_a_superseded_decision_gives_its_place_to_the_new_one(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    decide_on(rui, case, "a.example", "allowed")
    publish(blocks)
    reconcile(target)
    assert values_there(lab, kind) == []
    assert receipts(target) == {"a.example": "withdrawn"}


@both_kinds
def test_a_decision_made_again_is_accepted_again(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    publish(blocks)
    reconcile(target)
    decide_on(rui, case, "a.example")
    publish(blocks)
    reconcile(target)
    receipt = target.receipts.get()
    assert (receipt.state, receipt.decision_number) == ("accepted", Decision.objects.latest("pk").pk)
    assert values_there(lab, kind) == ["a.example"]


@both_kinds
def test_an_edit_by_hand_is_told_and_mended(lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case):
    block(rui, case, "a.example", "b.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    if kind == "defender":
        names = {each["indicatorValue"]: name for name, each in lab.defender.indicators.items()}
        del lab.defender.indicators[names["a.example"]]
        lab.defender.indicators[names["b.example"]]["action"] = "Audit"
    else:
        items = lab.sentinel.watchlists[ALIAS].items
        ids = {item.content["Value"]: name for name, item in items.items()}
        del items[ids["a.example"]]
        items[ids["b.example"]].content["Verdict"] = "allowed"
    record = reconcile(target)
    told = dict(Receipt.objects.filter(target=target).values_list("value", "drift"))
    assert record.drifted == 2
    assert told["a.example"] == "removed by hand"
    assert told["b.example"].startswith("changed by hand: ")
    assert set(receipts(target).values()) == {"accepted"}
    assert values_there(lab, kind) == ["a.example", "b.example"]
    assert target.stand == "same"


@both_kinds
def test_others_entries_are_counted_and_left_alone(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    add_by_hand(lab, kind, "theirs.example")
    record = reconcile(target)
    assert (record.left_alone, target.items_others, target.items_ours) == (1, 1, 1)
    assert values_there(lab, kind) == ["a.example", "theirs.example"]


@both_kinds
def test_a_dry_run_tells_the_plan_and_sends_nothing(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    ask_for_dry_run(target)
    record = reconcile(target)
    assert (record.is_dry_run, record.added) == (True, 1)
    assert [line[0] for line in record.plan] == ["add"]
    assert {method for method, _ in lab.requests} == {"GET"}
    assert receipts(target) == {}
    assert target.dry_run_asked_at is None


class Killed(BaseException):
    """As SIGKILL: nothing of the process goes on."""


def die_at(monkeypatch: pytest.MonkeyPatch, request: int) -> None:
    """Once the answer to the request of that number has come, before anything is made of it."""
    from cases.watchlists.targets.calling import Caller

    send, count = Caller._send, [0]

    def counted(self: Caller, *args: object) -> object:
        response = send(self, *args)  # type: ignore[arg-type]  # handed through
        count[0] += 1
        if count[0] == request:
            raise Killed
        return response

    monkeypatch.setattr(Caller, "_send", counted)


@both_kinds
@pytest.mark.parametrize("request_number", range(1, 8))
def test_fault_43_stopped_after_each_request_in_turn_it_converges(
    lab: Lab,
    kind: str,
    request_number: int,
    blocks: Watchlist,
    rui: Person,
    case: Case,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("cases.watchlists.targets.defender.AT_ONCE", 1)
    lab.sentinel.polls = 0
    block(rui, case, "a.example", "b.example", "c.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    add_by_hand(lab, kind, "theirs.example")
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    block(rui, case, "d.example")
    merge_and_settle(case, row(dns="b.example"))
    decide_on(rui, case, "b.example", reason="Another reason")
    publish(blocks)
    with monkeypatch.context() as dying:
        die_at(dying, request_number)
        with pytest.raises(Killed):
            reconcile(target)
    reconcile(target)
    assert values_there(lab, kind) == ["b.example", "c.example", "d.example", "theirs.example"]
    assert receipts(target) == {
        "a.example": "withdrawn",
        "b.example": "accepted",
        "c.example": "accepted",
        "d.example": "accepted",
    }
    assert target.stand == "same"
    lab.requests.clear()
    reconcile(target)
    assert {method for method, _ in lab.requests} == {"GET"}


@both_kinds
@pytest.mark.parametrize("request_number", range(1, 4))
def test_fault_43_stopped_while_it_is_made_it_converges(
    lab: Lab,
    kind: str,
    request_number: int,
    blocks: Watchlist,
    rui: Person,
    case: Case,
    monkeypatch: pytest.MonkeyPatch,
):
    block(rui, case, "a.example", "b.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    with monkeypatch.context() as dying:
        die_at(dying, request_number)
        with pytest.raises(Killed):
            reconcile(target)
    if lab.sentinel.watchlists:
        lab.sentinel.watchlists[ALIAS].finish()
    reconcile(target)
    assert values_there(lab, kind) == ["a.example", "b.example"]
    assert receipts(target) == {"a.example": "accepted", "b.example": "accepted"}


@both_kinds
@pytest.mark.parametrize("fault", [Kind.RESET, Kind.UNAVAILABLE, Kind.THROTTLED, Kind.GATEWAY_TIMEOUT])
@pytest.mark.parametrize("after", range(4))
def test_a_disturbance_in_the_middle_is_made_good_later(
    lab: Lab, kind: str, fault: Kind, after: int, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example", "b.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    if after:
        lab.fault(Kind.FINE, times=after)
    lab.fault(fault)
    reconcile(target)
    lab.faults.clear()
    if lab.sentinel.watchlists:
        lab.sentinel.watchlists[ALIAS].finish()
    reconcile(target)
    assert values_there(lab, kind) == ["a.example", "b.example"]
    assert receipts(target) == {"a.example": "accepted", "b.example": "accepted"}
    assert (target.stand, target.trouble) == ("same", "")


@both_kinds
def test_a_pause_that_is_wanted_is_kept(lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    lab.fault(Kind.THROTTLED, value="1800")
    reconcile(target)
    assert target.not_before is not None
    assert timedelta(minutes=29) < target.not_before - timezone.now() <= timedelta(minutes=30)
    assert not to_reconcile().filter(pk=target.pk).exists()
    assert claim(target.pk, "another") is None
    assert target.stand == "behind"


@both_kinds
def test_429_for_an_hour_is_trouble_and_goes_on_by_itself(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    lab.fault(Kind.THROTTLED, times=FOREVER)
    reconcile(target)
    Target.objects.update(trouble_since=timezone.now() - timedelta(hours=1))
    reconcile(target)
    assert target.stand == "trouble"
    assert "asks for a pause" in target.trouble
    assert Entry.objects.filter(event="watchlists:target:failed").count() == 1
    reconcile(target)
    assert Entry.objects.filter(event="watchlists:target:failed").count() == 1
    lab.faults.clear()
    reconcile(target)
    assert (target.stand, target.trouble, target.trouble_since) == ("same", "", None)


@pytest.mark.parametrize("fault", [Kind.FORBIDDEN, Kind.EXPIRED])
@both_kinds
def test_what_a_person_must_mend_is_trouble_at_once(
    lab: Lab, kind: str, fault: Kind, blocks: Watchlist, rui: Person, case: Case
):
    target = target_at(lab, kind, blocks)
    lab.fault(fault, times=2)
    reconcile(target)
    assert target.stand == "trouble"


def test_a_variable_that_is_missing_is_told(
    lab: Lab, blocks: Watchlist, rui: Person, monkeypatch: pytest.MonkeyPatch
):
    target = target_at(lab, "defender", blocks)
    monkeypatch.delenv("LAB_TOKEN")
    assert "LAB_TOKEN is not set" in reconcile(target).said


def test_failures_inside_a_batch_have_the_services_words_and_are_not_sent_again_soon(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example", "b.example")
    publish(blocks)
    lab.defender.refused["a.example"] = "InvalidDomainName"
    target = target_at(lab, "defender", blocks)
    record = reconcile(target)
    refused = target.receipts.get(value="a.example")
    assert (refused.state, refused.words) == ("refused", "InvalidDomainName")
    assert (record.refused, record.ended) == (1, "same")
    lab.requests.clear()
    reconcile(target)
    assert {method for method, _ in lab.requests} == {"GET"}
    assert target.receipts.get(value="a.example").words == "InvalidDomainName"
    lab.defender.refused.clear()
    Receipt.objects.filter(pk=refused.pk).update(since=timezone.now() - timedelta(days=2))
    reconcile(target)
    assert receipts(target) == {"a.example": "accepted", "b.example": "accepted"}


def test_what_cannot_be_said_there_has_a_receipt_too(lab: Lab, blocks: Watchlist, rui: Person, case: Case):
    block(rui, case, "198.51.100.7")
    publish(blocks)
    target = target_at(lab, "defender", blocks)
    reconcile(target)
    receipt = target.receipts.get()
    assert (receipt.state, receipt.words) == ("refused", "not a public address: Defender refuses those")


def test_an_alias_that_is_refused_is_trouble_with_the_services_words(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    lab.sentinel.refused_aliases.add(ALIAS)
    target = target_at(lab, "sentinel", blocks)
    reconcile(target)
    assert target.stand == "trouble"
    assert "is not valid" in target.trouble
    assert receipts(target) == {"a.example": "pending"}


def test_fault_42_an_upload_that_is_not_done_is_looked_at_again(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    lab.sentinel.polls = 1_000
    block(rui, case, "a.example", "b.example")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    reconcile(target)
    assert receipts(target) == {"a.example": "pending", "b.example": "pending"}
    assert (target.stand, target.reconciliations.latest("pk").ended) == ("behind", "failed")
    lab.sentinel.watchlists[ALIAS].finish()
    record = reconcile(target)
    assert receipts(target) == {"a.example": "accepted", "b.example": "accepted"}
    assert (record.added, lab.sentinel.changes) == (2, 2)


def test_the_months_changes_are_counted_for_the_workspace(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(spending, "CHANGES_A_MONTH", 3)
    block(rui, case, "a.example", "b.example")
    publish(blocks)
    first = target_at(lab, "sentinel", blocks)
    reconcile(first)
    second = target_at(lab, "sentinel", blocks, options={"alias": "another"})
    record = reconcile(second)
    assert Spending.objects.get().changes == lab.sentinel.changes == 3
    assert (record.ended, record.waiting, second.stand) == ("behind", 1, "behind")
    assert sorted(second.receipts.values_list("state", "words")) == [
        ("accepted", ""),
        ("pending", "waits: this month's changes are used up"),
    ]


def test_changes_that_were_spent_are_free_again_next_month(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(spending, "CHANGES_A_MONTH", 1)
    block(rui, case, "a.example", "b.example")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    reconcile(target)
    Spending.objects.update(month="2026-01-01")
    reconcile(target)
    assert set(receipts(target).values()) == {"accepted"}


def test_a_full_tenant_leaves_entries_waiting(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, monkeypatch
):
    monkeypatch.setattr("cases.watchlists.targets.defender.MOST_INDICATORS", 2)
    lab.defender.add_by_hand("theirs.example")
    block(rui, case, "a.example", "b.example")
    publish(blocks)
    target = target_at(lab, "defender", blocks)
    reconcile(target)
    assert receipts(target) == {"a.example": "pending", "b.example": "accepted"}
    assert target.stand == "behind"


def test_pausing_all_publishing_stops_targets_too(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "defender", blocks)
    actions.pause_all(actor=lea, why="A drill")
    assert not to_reconcile().exists()
    ask_for_dry_run(target)
    assert to_reconcile().exists()


def test_a_pause_in_the_middle_stops_before_the_next_request(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person, monkeypatch: pytest.MonkeyPatch
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "defender", blocks)
    plan = reconciling._plan

    def planned(*args: object) -> object:
        actions.pause_all(actor=lea, why="A drill")
        return plan(*args)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(reconciling, "_plan", planned)
    record = reconcile(target)
    assert (record.ended, record.said) == ("stopped", "All publishing was paused meanwhile: A drill")
    assert lab.defender.indicators == {}


def test_a_target_that_is_paused_is_left_alone_until_it_is_resumed(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "defender", blocks)
    pause_target(actor=lea, target=target, because="Moving house")
    assert not to_reconcile().exists()
    resume_target(actor=lea, target=target)
    reconcile(target)
    assert lab.defender.values() == ["a.example"]


@both_kinds
def test_a_retired_target_is_emptied_and_then_left_alone(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    retire_target(actor=lea, target=target, because="Replaced")
    reconcile(target)
    assert values_there(lab, kind) == []
    assert receipts(target) == {"a.example": "withdrawn"}
    assert target.stand == "emptied"
    assert not to_reconcile().exists()


def test_a_paused_target_that_is_retired_is_emptied(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "defender", blocks)
    reconcile(target)
    pause_target(actor=lea, target=target, because="Moving house")
    retire_target(actor=lea, target=target, because="Replaced")
    reconcile(target)
    assert lab.defender.values() == []
    assert target.stand == "emptied"


def test_a_roll_back_goes_to_the_target(lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person):
    block(rui, case, "a.example")
    publish(blocks)
    block(rui, case, "b.example")
    publish(blocks)
    target = target_at(lab, "defender", blocks)
    reconcile(target)
    publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="b.example was a mistake")
    reconcile(target)
    assert lab.defender.values() == ["a.example"]


def test_a_new_publication_makes_a_target_due(lab: Lab, blocks: Watchlist, rui: Person, case: Case):
    target = target_at(lab, "defender", blocks)
    reconcile(target)
    assert not to_reconcile().exists()
    block(rui, case, "a.example")
    publish(blocks)
    assert to_reconcile().get() == target


def test_one_worker_at_a_time(lab: Lab, blocks: Watchlist):
    target = target_at(lab, "defender", blocks)
    assert claim(target.pk, "one") is not None
    assert claim(target.pk, "two") is None


def test_a_worker_whose_lease_ran_out_writes_nothing(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "defender", blocks)
    plan = reconciling._plan

    def planned(*args: object) -> object:
        Target.objects.filter(pk=target.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert claim(target.pk, "another") is not None
        return plan(*args)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(reconciling, "_plan", planned)
    reconcile(target)
    assert (receipts(target), lab.defender.indicators) == ({}, {})
    assert target.lease_until is not None


def test_the_ledger_tells_what_was_changed_there_and_not_that_somebody_looked(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    reconcile(target)
    reconcile(target)
    entry = Entry.objects.get(event="watchlists:target:reconciled")
    assert entry.content["after"] == {
        "publication": 1,
        "added": 1,
        "changed": 0,
        "withdrawn": 0,
        "refused": 0,
        "waiting": 0,
        "edited_by_hand": 0,
    }


def test_no_secret_is_in_the_row_or_the_ledger(lab: Lab, blocks: Watchlist, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LAB_TOKEN", "planted-secret")
    target = target_at(lab, "defender", blocks)
    lab.fault(Kind.FORBIDDEN)
    reconcile(target)
    texts = [*Entry.objects.values_list("text", flat=True), str(Target.objects.values().get())]
    texts += [str(each) for each in Reconciliation.objects.values()]
    assert not [text for text in texts if "planted-secret" in text]


def test_a_place_with_entries_is_not_left_behind(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    reconcile(target)
    with pytest.raises(BadSetting, match="Retire this target"):
        change_target(
            actor=Actor.person(lea), target=target, options={**target.options, "alias": "elsewhere"}
        )


def test_two_targets_at_one_place_are_refused(lab: Lab, blocks: Watchlist):
    target_at(lab, "sentinel", blocks)
    with pytest.raises(BadSetting, match="pushed there already"):
        target_at(lab, "sentinel", blocks)


def test_an_accepted_entry_takes_effect_after_the_grace(lab: Lab, blocks: Watchlist, rui: Person, case: Case):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "defender", blocks, grace_minutes=30)
    reconcile(target)
    receipt = target.receipts.get()
    known = Enforcement.objects.get()
    assert receipt.accepted_at is not None
    assert known.decision == Decision.objects.get()
    assert known.effective_at == receipt.accepted_at + timedelta(minutes=30)


def test_the_earliest_of_two_targets_counts(lab: Lab, blocks: Watchlist, rui: Person, case: Case):
    block(rui, case, "a.example")
    publish(blocks)
    slow = target_at(lab, "defender", blocks, grace_minutes=600)
    reconcile(slow)
    quick = target_at(lab, "sentinel", blocks, grace_minutes=0)
    reconcile(quick)
    assert Enforcement.objects.get().by == quick.title


@pytest.mark.parametrize("fault", [Kind.THROTTLED, Kind.FORBIDDEN])
def test_what_was_refused_costs_nothing_of_the_months_changes(
    lab: Lab, fault: Kind, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    lab.fault(Kind.FINE)  # read
    lab.fault(fault, times=2)
    reconcile(target)
    assert (Spending.objects.get().changes, lab.sentinel.changes) == (0, 0)


def test_where_nobody_was_reached_nothing_was_spent(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    lab.sentinel.polls = 0
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    _refuse_connections(monkeypatch, httpx.ConnectError("refused"))
    reconcile(target)
    assert Spending.objects.get().changes == 0


@pytest.mark.parametrize("fault", [Kind.RESET, Kind.UNAVAILABLE, Kind.GATEWAY_TIMEOUT])
def test_what_may_have_been_carried_out_stays_spent(
    lab: Lab, fault: Kind, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    lab.fault(Kind.FINE)
    lab.fault(fault)
    reconcile(target)
    assert Spending.objects.get().changes == 1


def test_an_upload_that_was_taken_stays_spent_when_looking_after_it_is_refused(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    lab.fault(Kind.FINE, times=2)  # read, made
    lab.fault(Kind.THROTTLED)
    reconcile(target)
    assert Spending.objects.get().changes == 1


def _refuse_connections(monkeypatch: pytest.MonkeyPatch, error: httpx.TransportError) -> None:
    """Of what changes something; reading goes on."""
    ask = httpx.Client.request

    def refused(self: httpx.Client, method: str, url: str, **options: object) -> httpx.Response:
        if method != "GET":
            raise error
        return ask(self, method, url, **options)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(httpx.Client, "request", refused)


@both_kinds
def test_what_was_sent_is_accepted_only_once_it_is_seen_there(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    lab.sentinel.polls = 0
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    lab.fault(Kind.FINE, times=2)  # read, sent
    lab.fault(Kind.UNAVAILABLE)
    first = reconcile(target)
    receipt = target.receipts.get()
    assert (receipt.state, receipt.words) == ("pending", "sent, and not seen there yet")
    assert not Enforcement.objects.exists()
    lab.faults.clear()
    second = reconcile(target)
    receipt.refresh_from_db()
    assert receipt.state == "accepted"
    assert Enforcement.objects.get().decision == Decision.objects.get()
    assert (first.added, second.added) == (1, 0)


def test_one_item_that_spoils_the_first_upload_is_found_and_the_others_go_on(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case
):
    lab.sentinel.refused_values.add("b.example")
    block(rui, case, "a.example", "b.example", "c.example", "d.example", "e.example")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    reconcile(target)
    assert values_there(lab, "sentinel") == ["a.example", "c.example", "d.example", "e.example"]
    refused = target.receipts.get(value="b.example")
    assert refused.state == "refused"
    assert "'b.example' is not valid" in refused.words
    assert Spending.objects.get().changes == lab.sentinel.changes == 4


@pytest.mark.parametrize("name", ["authority", "audience", "endpoint", "workspace"])
def test_a_place_is_also_whom_tokens_are_for_and_who_gives_them_out(
    lab: Lab, name: str, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    reconcile(target)
    value = "another-workspace" if name == "workspace" else "https://elsewhere.example"
    with pytest.raises(BadSetting, match="Retire this target") as refused:
        change_target(actor=Actor.person(lea), target=target, options={**target.options, name: value})
    assert refused.value.field == name


def test_the_tenant_of_indicators_is_the_one_of_the_credential(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "defender", blocks)
    reconcile(target)
    with pytest.raises(BadSetting, match="Retire this target") as refused:
        change_target(actor=Actor.person(lea), target=target, credential="client_secret:OTHER")
    assert refused.value.field == "credential"


def test_another_credential_for_the_same_workspace_is_a_plain_change(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    reconcile(target)
    change_target(actor=Actor.person(lea), target=target, credential="client_secret:OTHER")
    assert target.credential == "client_secret:OTHER"


def test_two_targets_at_one_place_are_refused_however_it_is_written(lab: Lab, blocks: Watchlist):
    one = target_at(lab, "sentinel", blocks)
    with pytest.raises(BadSetting, match="pushed there already"):
        target_at(lab, "sentinel", blocks, options={"alias": ALIAS.upper(), "api_version": "2024-03-01"})
    in_braces = f"{{{one.options['subscription']}}}".upper()
    with pytest.raises(BadSetting, match="pushed there already"):
        target_at(lab, "sentinel", blocks, options={"subscription": in_braces})


def test_an_indicator_whose_title_was_edited_is_drift_and_mended(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "defender", blocks)
    reconcile(target)
    (kept,) = lab.defender.indicators.values()
    kept["title"] = "Ours now"
    record = reconcile(target)
    receipt = target.receipts.get()
    assert (record.drifted, record.changed) == (1, 1)
    assert "title is “Ours now”" in receipt.drift
    assert receipt.state == "accepted"
    (mended,) = lab.defender.indicators.values()
    assert target.mark in mended["title"]


def test_an_indicator_whose_title_was_edited_is_still_withdrawn(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "defender", blocks)
    reconcile(target)
    (kept,) = lab.defender.indicators.values()
    kept["title"] = "Ours now"
    undo(actor=rui, decision=Decision.objects.get())
    publish(blocks)
    reconcile(target)
    assert lab.defender.values() == []
