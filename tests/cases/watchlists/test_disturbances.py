"""Services that fail, ask for a pause or refuse."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from cases.models import Case, Decision
from cases.watchlists.holding import claim, to_reconcile
from cases.watchlists.models import Enforcement, Receipt, Spending, Target, Watchlist
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from tests.cases.watchlists.targets.places import ALIAS, KINDS, values_there
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
from tests.lab.faults import FOREVER, Kind
from tests.lab.server import Lab

both_kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_lab(monkeypatch)


@both_kinds
@pytest.mark.parametrize("fault", [Kind.RESET, Kind.UNAVAILABLE, Kind.THROTTLED, Kind.GATEWAY_TIMEOUT])
@pytest.mark.parametrize("after", range(4))
def test_a_disturbance_in_the_middle_is_made_good_later(
    lab: Lab, kind: str, fault: Kind, after: int, blocks: Watchlist, rui: Person, case: Case
):
    target = to_push(lab, kind, blocks, rui, case, "a.example", "b.example")
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
    target = to_push(lab, kind, blocks, rui, case, "a.example")
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
    target = to_push(lab, kind, blocks, rui, case, "a.example")
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
    target = pushed(lab, "defender", blocks, rui, case, "198.51.100.7")
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
    target = pushed(lab, "sentinel", blocks, rui, case, "a.example", "b.example")
    assert receipts(target) == {"a.example": "pending", "b.example": "pending"}
    assert (target.stand, target.reconciliations.latest("pk").ended) == ("behind", "failed")
    lab.sentinel.watchlists[ALIAS].finish()
    record = reconcile(target)
    assert receipts(target) == {"a.example": "accepted", "b.example": "accepted"}
    assert (record.added, lab.sentinel.changes) == (2, 2)


@both_kinds
def test_what_was_sent_is_accepted_only_once_it_is_seen_there(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    lab.sentinel.polls = 0
    target = to_push(lab, kind, blocks, rui, case, "a.example")
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
    target = pushed(
        lab, "sentinel", blocks, rui, case, "a.example", "b.example", "c.example", "d.example", "e.example"
    )
    assert values_there(lab, "sentinel") == ["a.example", "c.example", "d.example", "e.example"]
    refused = target.receipts.get(value="b.example")
    assert refused.state == "refused"
    assert "'b.example' is not valid" in refused.words
    assert Spending.objects.get().changes == lab.sentinel.changes == 4
