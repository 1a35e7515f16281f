"""Edits by hand, and what others have made."""

from __future__ import annotations

import pytest

from cases.actions import undo
from cases.models import Case, Decision
from cases.watchlists.models import Receipt, Watchlist
from footprint.accounts.models import Person
from tests.cases.watchlists.targets.places import KINDS, add_by_hand, edit_by_hand, values_there
from tests.cases.watchlists.worlds import (
    allow_lab,
    publish,
    pushed,
    receipts,
    reconcile,
)
from tests.lab.server import Lab

both_kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_lab(monkeypatch)


@both_kinds
def test_an_edit_by_hand_is_told_and_mended(lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case):
    target = pushed(lab, kind, blocks, rui, case, "a.example", "b.example")
    edit_by_hand(lab, kind, gone="a.example", changed="b.example")
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
    target = pushed(lab, kind, blocks, rui, case, "a.example")
    add_by_hand(lab, kind, "theirs.example")
    record = reconcile(target)
    assert (record.left_alone, target.items_others, target.items_ours) == (1, 1, 1)
    assert values_there(lab, kind) == ["a.example", "theirs.example"]


def test_an_indicator_whose_title_was_edited_is_drift_and_mended(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case
):
    target = pushed(lab, "defender", blocks, rui, case, "a.example")
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
    target = pushed(lab, "defender", blocks, rui, case, "a.example")
    (kept,) = lab.defender.indicators.values()
    kept["title"] = "Ours now"
    undo(actor=rui, decision=Decision.objects.get())
    publish(blocks)
    reconcile(target)
    assert lab.defender.values() == []
