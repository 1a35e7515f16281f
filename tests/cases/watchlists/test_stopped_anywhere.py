"""The process stopped after each request in turn: what is there comes to what was decided all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from cases.actions import undo
from cases.models import Case, Decision
from cases.watchlists.models import Target, Watchlist
from cases.watchlists.target_actions import retire_target
from cases.watchlists.targets.calling import Caller
from footprint.accounts.models import Person
from tests.cases.test_deciding import pass_expiry
from tests.cases.watchlists.targets.places import ALIAS, KINDS, add_by_hand, edit_by_hand, values_there
from tests.cases.watchlists.worlds import allow_lab, block, publish, receipts, reconcile, target_at
from tests.cases.world import decide_on, merge_and_settle, row
from tests.lab.server import Lab

# How many requests each of them takes; one test more shows that these are all.
REQUESTS = {
    ("sentinel", "made"): 5,
    ("sentinel", "changed"): 10,
    ("sentinel", "emptied"): 9,
    ("sentinel", "removed"): 5,
    ("defender", "made"): 8,
    ("defender", "changed"): 10,
    ("defender", "emptied"): 9,
    ("defender", "removed"): 8,
}


def after_each_request(step: str) -> pytest.MarkDecorator:
    asked = [(kind, number) for kind in KINDS for number in range(1, REQUESTS[kind, step] + 2)]
    return pytest.mark.parametrize(("kind", "number"), asked)


class Killed(BaseException):
    """As SIGKILL: nothing of the process goes on."""


@pytest.fixture(autouse=True)
def allowed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    allow_lab(monkeypatch)
    monkeypatch.setattr("cases.watchlists.targets.defender.AT_ONCE", 1)


@pytest.fixture
def target(lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case) -> Target:
    """Of a list with five entries, never looked at."""
    block(rui, case, "reversed.example", "changed.example", "edited.example", "removed.example")
    merge_and_settle(case, row(dns="expired.example"))
    decide_on(rui, case, "expired.example", expires_at=timezone.now() + timedelta(days=1))
    publish(blocks)
    return target_at(lab, kind, blocks)


@contextmanager
def killed_after(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Once the answer to that request has come, before anything is made of it. Gives how many were sent."""
    send, sent = Caller._send, [0]

    def counted(self: Caller, *args: object) -> object:
        response = send(self, *args)  # type: ignore[arg-type]  # handed through
        sent[0] += 1
        if sent[0] == number:
            raise Killed
        return response

    with monkeypatch.context() as dying:
        dying.setattr(Caller, "_send", counted)
        yield lambda: sent[0]


def stop_and_go_on(lab: Lab, target: Target, number: int, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after that request, and then once more to its end. The last number is never reached."""
    all_of_them = REQUESTS[target.kind, step]
    with killed_after(number, monkeypatch) as sent:
        if number <= all_of_them:
            with pytest.raises(Killed):
                reconcile(target)
        else:
            reconcile(target)
            assert sent() == all_of_them
    if lab.sentinel.watchlists:
        lab.sentinel.watchlists[ALIAS].finish()
    reconcile(target)


def assert_at_rest(lab: Lab, target: Target, stand: str = "same") -> None:
    """Nothing is left to do, and looking changes nothing."""
    assert target.stand == stand
    lab.requests.clear()
    reconcile(target)
    assert {method for method, _ in lab.requests} <= {"GET"}


@after_each_request("made")
def test_fault_43_what_is_published_gets_there(
    lab: Lab, target: Target, number: int, monkeypatch: pytest.MonkeyPatch
):
    stop_and_go_on(lab, target, number, "made", monkeypatch)
    names = ["changed.example", "edited.example", "expired.example", "removed.example", "reversed.example"]
    assert values_there(lab, target.kind) == names
    assert receipts(target) == dict.fromkeys(names, "accepted")
    assert_at_rest(lab, target)


@after_each_request("changed")
def test_fault_43_what_is_reversed_expired_changed_and_edited_by_hand_comes_right(
    lab: Lab,
    target: Target,
    number: int,
    blocks: Watchlist,
    rui: Person,
    case: Case,
    monkeypatch: pytest.MonkeyPatch,
):
    lab.sentinel.polls = 0
    reconcile(target)
    undo(actor=rui, decision=Decision.objects.get(subject="reversed.example"))
    pass_expiry(Decision.objects.get(subject="expired.example"))
    decide_on(rui, case, "changed.example", reason="Another reason")
    block(rui, case, "new.example")
    publish(blocks)
    add_by_hand(lab, target.kind, "theirs.example")
    edit_by_hand(lab, target.kind, gone="removed.example", changed="edited.example")
    stop_and_go_on(lab, target, number, "changed", monkeypatch)
    listed = ["changed.example", "edited.example", "new.example", "removed.example"]
    assert values_there(lab, target.kind) == [*listed, "theirs.example"]
    gone = {"reversed.example": "withdrawn", "expired.example": "withdrawn"}
    assert receipts(target) == dict.fromkeys(listed, "accepted") | gone
    assert (
        target.receipts.get(value="changed.example").decision_number
        == Decision.objects.get(subject="changed.example", state="in force").pk
    )
    assert target.items_others == 1
    assert_at_rest(lab, target)


@after_each_request("emptied")
def test_fault_43_what_is_retired_is_emptied_beside_what_others_have_there(
    lab: Lab, target: Target, number: int, lea: Person, monkeypatch: pytest.MonkeyPatch
):
    lab.sentinel.polls = 0
    reconcile(target)
    add_by_hand(lab, target.kind, "theirs.example")
    retire_target(actor=lea, target=target, because="Replaced")
    stop_and_go_on(lab, target, number, "emptied", monkeypatch)
    assert values_there(lab, target.kind) == ["theirs.example"]
    assert set(receipts(target).values()) == {"withdrawn"}
    assert_at_rest(lab, target, "emptied")


@after_each_request("removed")
def test_fault_43_what_is_retired_and_nobody_elses_is_gone(
    lab: Lab, target: Target, number: int, lea: Person, monkeypatch: pytest.MonkeyPatch
):
    lab.sentinel.polls = 0
    reconcile(target)
    retire_target(actor=lea, target=target, because="Replaced")
    stop_and_go_on(lab, target, number, "removed", monkeypatch)
    assert values_there(lab, target.kind) == []
    assert set(receipts(target).values()) == {"withdrawn"}
    assert_at_rest(lab, target, "emptied")
