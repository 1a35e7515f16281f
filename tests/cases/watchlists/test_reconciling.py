"""What is published gets to a target, and is withdrawn again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from cases.actions import undo
from cases.models import Case, Decision
from cases.watchlists import publishing, reconciling
from cases.watchlists.holding import claim, to_reconcile
from cases.watchlists.models import Enforcement, Target, Watchlist
from cases.watchlists.target_actions import (
    ask_for_dry_run,
)
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from tests.cases.test_deciding import pass_expiry
from tests.cases.watchlists.targets.places import KINDS, values_there
from tests.cases.watchlists.worlds import (
    allow_lab,
    block,
    publish,
    pushed,
    receipts,
    reconcile,
    target_at,
    to_push,
)
from tests.cases.world import decide_on, merge_and_settle, row
from tests.lab.server import Lab

both_kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_lab(monkeypatch)


@both_kinds
def test_what_is_published_gets_there_with_a_receipt_each(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    target = to_push(lab, kind, blocks, rui, case, "a.example", "198.51.101.7")
    record = reconcile(target)
    assert values_there(lab, kind) == ["198.51.101.7", "a.example"]
    assert receipts(target) == {"a.example": "accepted", "198.51.101.7": "accepted"}
    assert (record.ended, record.added, target.stand, target.seen) == ("same", 2, "same", 1)


@both_kinds
def test_a_reversed_decision_is_withdrawn(lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case):
    target = pushed(lab, kind, blocks, rui, case, "a.example", "b.example")
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
    target = pushed(lab, kind, blocks, rui, case, "a.example")
    decide_on(rui, case, "a.example", "allowed")
    publish(blocks)
    reconcile(target)
    assert values_there(lab, kind) == []
    assert receipts(target) == {"a.example": "withdrawn"}


@both_kinds
def test_a_decision_made_again_is_accepted_again(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    target = pushed(lab, kind, blocks, rui, case, "a.example")
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
def test_a_dry_run_tells_the_plan_and_sends_nothing(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    target = to_push(lab, kind, blocks, rui, case, "a.example")
    ask_for_dry_run(target)
    record = reconcile(target)
    assert (record.is_dry_run, record.added) == (True, 1)
    assert [line[0] for line in record.plan] == ["add"]
    assert {method for method, _ in lab.requests} == {"GET"}
    assert receipts(target) == {}
    assert target.dry_run_asked_at is None


def test_a_roll_back_goes_to_the_target(lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person):
    block(rui, case, "a.example")
    publish(blocks)
    target = pushed(lab, "defender", blocks, rui, case, "b.example")
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
    target = to_push(lab, "defender", blocks, rui, case, "a.example")
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
    target = pushed(lab, "sentinel", blocks, rui, case, "a.example")
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


def test_an_accepted_entry_takes_effect_after_the_grace(lab: Lab, blocks: Watchlist, rui: Person, case: Case):
    target = pushed(lab, "defender", blocks, rui, case, "a.example", grace_minutes=30)
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
