"""Room and changes that a service gives."""

from __future__ import annotations

import httpx
import pytest

from cases.actions import undo
from cases.models import Case, Decision
from cases.watchlists import reconciling, spending
from cases.watchlists.models import Spending, Watchlist
from footprint.accounts.models import Person
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
from tests.lab.faults import Kind
from tests.lab.server import Lab

both_kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_lab(monkeypatch)


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
    target = pushed(lab, "sentinel", blocks, rui, case, "a.example", "b.example")
    Spending.objects.update(month="2026-01-01")
    reconcile(target)
    assert set(receipts(target).values()) == {"accepted"}


def test_a_full_tenant_leaves_entries_waiting(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, monkeypatch
):
    monkeypatch.setattr("cases.watchlists.targets.defender.MOST_INDICATORS", 2)
    lab.defender.add_by_hand("theirs.example")
    target = pushed(lab, "defender", blocks, rui, case, "a.example", "b.example")
    assert receipts(target) == {"a.example": "pending", "b.example": "accepted"}
    assert target.stand == "behind"


@pytest.mark.parametrize("fault", [Kind.THROTTLED, Kind.FORBIDDEN])
def test_what_was_refused_costs_nothing_of_the_months_changes(
    lab: Lab, fault: Kind, blocks: Watchlist, rui: Person, case: Case
):
    target = to_push(lab, "sentinel", blocks, rui, case, "a.example")
    lab.fault(Kind.FINE)  # read
    lab.fault(fault, times=2)
    reconcile(target)
    assert (Spending.objects.get().changes, lab.sentinel.changes) == (0, 0)


def test_where_nobody_was_reached_nothing_was_spent(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    lab.sentinel.polls = 0
    target = to_push(lab, "sentinel", blocks, rui, case, "a.example")
    _refuse_connections(monkeypatch, httpx.ConnectError("refused"))
    reconcile(target)
    assert Spending.objects.get().changes == 0


@pytest.mark.parametrize("fault", [Kind.RESET, Kind.UNAVAILABLE, Kind.GATEWAY_TIMEOUT])
def test_what_may_have_been_carried_out_stays_spent(
    lab: Lab, fault: Kind, blocks: Watchlist, rui: Person, case: Case
):
    target = to_push(lab, "sentinel", blocks, rui, case, "a.example")
    lab.fault(Kind.FINE)
    lab.fault(fault)
    reconcile(target)
    assert Spending.objects.get().changes == 1


def test_an_upload_that_was_taken_stays_spent_when_looking_after_it_is_refused(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case
):
    target = to_push(lab, "sentinel", blocks, rui, case, "a.example")
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


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target of either kind takes the two newest entries of a list."""
    monkeypatch.setattr("cases.watchlists.targets.sentinel.MOST_ENTRIES", 2)
    monkeypatch.setitem(reconciling._MOST_ENTRIES, "defender", 2)


BEYOND = "left out: this target takes the 2 newest entries"
NAMES = ("a.example", "b.example", "c.example", "d.example")


@both_kinds
def test_what_is_beyond_what_a_target_takes_has_a_receipt_each(
    lab: Lab, kind: str, few: None, blocks: Watchlist, rui: Person, case: Case
):
    target = pushed(lab, kind, blocks, rui, case, *NAMES)
    beyond = target.receipts.filter(words=BEYOND).order_by("value")
    assert list(beyond.values_list("value", flat=True)) == ["a.example", "b.example"]
    assert receipts(target) == {
        "a.example": "refused", "b.example": "refused", "c.example": "accepted", "d.example": "accepted",
    }  # fmt: skip
    assert (target.reconciliations.get().beyond, target.stand) == (2, "behind")
    assert values_there(lab, kind) == ["c.example", "d.example"]


@both_kinds
def test_a_second_look_writes_no_receipt_of_those_again(
    lab: Lab, kind: str, few: None, blocks: Watchlist, rui: Person, case: Case
):
    target = pushed(lab, kind, blocks, rui, case, *NAMES)
    before = list(target.receipts.order_by("pk").values())
    reconcile(target)
    assert list(target.receipts.order_by("pk").values()) == before


@both_kinds
def test_an_entry_gives_its_place_to_a_newer_one_and_gets_it_back(
    lab: Lab, kind: str, few: None, blocks: Watchlist, rui: Person, case: Case
):
    target = pushed(lab, kind, blocks, rui, case, "a.example", "b.example")
    block(rui, case, "c.example")
    publish(blocks)
    reconcile(target)
    assert values_there(lab, kind) == ["b.example", "c.example"]
    left = target.receipts.get(value="a.example")
    assert (left.state, left.words, left.is_there) == ("refused", BEYOND, False)
    undo(actor=rui, decision=Decision.objects.get(subject="c.example"))
    publish(blocks)
    reconcile(target)
    assert values_there(lab, kind) == ["a.example", "b.example"]
    assert receipts(target) == {"a.example": "accepted", "b.example": "accepted", "c.example": "withdrawn"}
    assert target.stand == "same"


@both_kinds
def test_what_is_beyond_and_leaves_the_list_is_withdrawn(
    lab: Lab, kind: str, few: None, blocks: Watchlist, rui: Person, case: Case
):
    target = pushed(lab, kind, blocks, rui, case, *NAMES)
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    publish(blocks)
    reconcile(target)
    assert receipts(target)["a.example"] == "withdrawn"
    assert target.reconciliations.latest("pk").beyond == 1


def test_what_is_beyond_and_still_there_keeps_its_receipt_until_it_is_gone(
    lab: Lab, few: None, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    target = pushed(lab, "sentinel", blocks, rui, case, "a.example", "b.example")
    monkeypatch.setattr(spending, "CHANGES_A_MONTH", 2)
    block(rui, case, "c.example")
    publish(blocks)
    reconcile(target)
    kept = target.receipts.get(value="a.example")
    assert (kept.state, kept.words) == ("accepted", "still there: this month's changes are used up")
