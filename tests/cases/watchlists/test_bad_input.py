"""What nobody should have to expect of a list, and what becomes of it at a target."""

from __future__ import annotations

import pytest

from cases.models import Case
from cases.watchlists.models import Watchlist
from footprint.accounts.models import Person
from tests.cases.watchlists.lists import see
from tests.cases.watchlists.targets.places import ALIAS, KINDS, values_there
from tests.cases.watchlists.worlds import allow_lab, publish, pushed, receipts, reconcile, target_at
from tests.cases.world import decide_on
from tests.lab.server import Lab

FORMULA = "=cmd|' /C calc'!A0"
# As long as a name can be.
LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])

both_kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_lab(monkeypatch)


def reason_there(lab: Lab, kind: str, value: str) -> str:
    if kind == "defender":
        told = {each["indicatorValue"]: each["description"] for each in lab.defender.indicators.values()}
    else:
        items = lab.sentinel.watchlists[ALIAS].items.values()
        told = {item.content["Value"]: item.content["Reason"] for item in items}
    return str(told[value])


@both_kinds
def test_a_text_that_looks_like_a_formula_is_refused_and_told(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    target = pushed(lab, kind, blocks, rui, case, FORMULA, "a.example")
    assert receipts(target) == {FORMULA: "refused", "a.example": "accepted"}
    assert target.receipts.get(value=FORMULA).words == "unreadable text, which nothing outside would match"


@both_kinds
@pytest.mark.parametrize(("typed", "there"), [
    ('=cmd|" /C calc"!A0', "'=cmd|\" /C calc\"!A0"),
    ('first\r\nsecond, "third"', 'first second, "third"'),
    ("+1, see the mail", "'+1, see the mail"),
])  # fmt: skip
def test_a_reason_is_one_line_there_and_never_a_formula(
    lab: Lab, kind: str, typed: str, there: str, blocks: Watchlist, rui: Person, case: Case
):
    see(case, "a.example")
    decide_on(rui, case, "a.example", reason=typed)
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    assert reason_there(lab, kind, "a.example") == there
    assert reconcile(target).drifted == 0


@both_kinds
def test_the_longest_name_is_said_whole_and_a_longer_one_is_refused(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case
):
    longer = f"x{LONGEST}"
    see(case, LONGEST, longer)
    for value in case.values.values_list("value", flat=True):
        decide_on(rui, case, value)
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    assert values_there(lab, kind) == [LONGEST]
    assert sorted(receipts(target).values()) == ["accepted", "refused"]


@both_kinds
@pytest.mark.parametrize(("own", "inside"), [("", "10.1.2.3"), ("9.9.0.0/16", "9.9.9.9")])
def test_a_range_that_never_leaves_is_told_and_reaches_no_target(
    lab: Lab,
    kind: str,
    own: str,
    inside: str,
    blocks: Watchlist,
    rui: Person,
    case: Case,
    monkeypatch: pytest.MonkeyPatch,
):
    from django.conf import settings

    ours = settings.FOOTPRINT.model_copy(update={"own_networks": own})
    monkeypatch.setattr(settings, "FOOTPRINT", ours)
    target = pushed(lab, kind, blocks, rui, case, inside, "a.example")
    assert receipts(target) == {"a.example": "accepted"}
    (conflict,) = blocks.conflicts.all()
    assert (conflict.value, conflict.left_out) == (inside, True)


@both_kinds
def test_an_empty_list_makes_nothing_and_has_no_receipt(lab: Lab, kind: str, blocks: Watchlist):
    publish(blocks)
    target = target_at(lab, kind, blocks)
    record = reconcile(target)
    assert ({method for method, _ in lab.requests}, receipts(target)) == ({"GET"}, {})
    assert (record.ended, target.stand) == ("same", "same")
