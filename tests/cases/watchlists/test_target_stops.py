"""Targets that are paused or retired."""

from __future__ import annotations

import pytest

from cases.models import Case
from cases.watchlists import actions, reconciling
from cases.watchlists.holding import to_reconcile
from cases.watchlists.models import Watchlist
from cases.watchlists.target_actions import (
    ask_for_dry_run,
    pause_target,
    resume_target,
    retire_target,
)
from footprint.accounts.models import Person
from tests.cases.watchlists.targets.places import KINDS, values_there
from tests.cases.watchlists.worlds import (
    allow_lab,
    pushed,
    receipts,
    reconcile,
    to_push,
)
from tests.lab.server import Lab

both_kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_lab(monkeypatch)


def test_pausing_all_publishing_stops_targets_too(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    target = to_push(lab, "defender", blocks, rui, case, "a.example")
    actions.pause_all(actor=lea, why="A drill")
    assert not to_reconcile().exists()
    ask_for_dry_run(target)
    assert to_reconcile().exists()


def test_a_pause_in_the_middle_stops_before_the_next_request(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person, monkeypatch: pytest.MonkeyPatch
):
    target = to_push(lab, "defender", blocks, rui, case, "a.example")
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
    target = to_push(lab, "defender", blocks, rui, case, "a.example")
    pause_target(actor=lea, target=target, because="Moving house")
    assert not to_reconcile().exists()
    resume_target(actor=lea, target=target)
    reconcile(target)
    assert lab.defender.values() == ["a.example"]


@both_kinds
def test_a_retired_target_is_emptied_and_then_left_alone(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    target = pushed(lab, kind, blocks, rui, case, "a.example")
    retire_target(actor=lea, target=target, because="Replaced")
    reconcile(target)
    assert values_there(lab, kind) == []
    assert receipts(target) == {"a.example": "withdrawn"}
    assert target.stand == "emptied"
    assert not to_reconcile().exists()


def test_a_paused_target_that_is_retired_is_emptied(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    target = pushed(lab, "defender", blocks, rui, case, "a.example")
    pause_target(actor=lea, target=target, because="Moving house")
    retire_target(actor=lea, target=target, because="Replaced")
    reconcile(target)
    assert lab.defender.values() == []
    assert target.stand == "emptied"
