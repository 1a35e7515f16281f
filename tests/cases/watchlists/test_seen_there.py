"""What a target said is believed when it is seen there, and not before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from cases.actions import undo
from cases.models import Case, Decision
from cases.watchlists import holding, reconciling
from cases.watchlists.actions import add_consumer
from cases.watchlists.after_block import effects_of
from cases.watchlists.models import Consumer, Enforcement, Receipt, Spending, Target, Watchlist
from cases.watchlists.still_in_force import still_in_force
from cases.watchlists.target_actions import retire_target
from cases.watchlists.targets.base import Item, Outcome, There
from cases.watchlists.targets.calling import Caller
from cases.watchlists.targets.defender import DefenderClient
from cases.watchlists.targets.sentinel import CHANGES_A_MONTH, SentinelClient
from footprint.accounts.models import Person, Role
from footprint.azure.errors import Rejected, Throttled
from footprint.desk.views.targets import ShownTarget
from tests.cases.watchlists.worlds import allow_lab, block, publish, receipts, reconcile, target_at
from tests.cases.world import decide_on, merge_and_settle, row
from tests.lab.server import Lab

BOTH = pytest.mark.parametrize("kind", ["sentinel", "defender"])
CLIENTS: dict[str, Any] = {"sentinel": SentinelClient, "defender": DefenderClient}


class Lost(BaseException):
    """As a worker that is killed."""


@pytest.fixture(autouse=True)
def _quick_lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    allow_lab(monkeypatch)
    lab.sentinel.polls = 0


@pytest.fixture
def blocks(db: None) -> Watchlist:
    return Watchlist.objects.get(slug="all-blocks")


@pytest.fixture
def lea(db: None) -> Person:
    return Person.objects.create_user("lea", password="a long enough word", role=Role.LEAD)


def long_ago(target: Target) -> None:
    """As if all that was tried and sent had been so a day before."""
    day = timedelta(days=1)
    Receipt.objects.filter(target=target).update(tried_at=F("tried_at") - day, sent_at=F("sent_at") - day)


def reverse(rui: Person, value: str) -> None:
    undo(actor=rui, decision=Decision.objects.in_force().get(subject=value))


def words_of(target: Target, value: str) -> str:
    return Receipt.objects.get(target=target, value=value).words


def refuse_removals(monkeypatch: pytest.MonkeyPatch) -> None:
    once = Caller._once

    def refusing(self: Caller, method: str, path: str, *rest: Any) -> Any:
        if method == "DELETE" or "BatchDelete" in path:
            raise Rejected("It does not take this.", said="InvalidItem")
        return once(self, method, path, *rest)

    monkeypatch.setattr(Caller, "_once", refusing)


@BOTH
def test_a_removal_that_is_refused_keeps_no_new_block_waiting(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    block(rui, case, "9.9.9.1", "9.9.9.2")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    reverse(rui, "9.9.9.1")
    block(rui, case, "9.9.9.3")
    publish(blocks)
    refuse_removals(monkeypatch)
    reconcile(target)
    assert receipts(target) == {"9.9.9.1": "accepted", "9.9.9.2": "accepted", "9.9.9.3": "accepted"}
    assert words_of(target, "9.9.9.1") == "cannot be withdrawn: InvalidItem"
    assert [each.value for each in still_in_force(blocks).shown] == ["9.9.9.1"]


@BOTH
def test_what_is_listed_after_it_was_taken_away_is_not_told_as_withdrawn(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    block(rui, case, "9.9.9.1", "9.9.9.2")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    reverse(rui, "9.9.9.1")
    publish(blocks)
    with monkeypatch.context() as stuck:
        done = lambda self, item: [Outcome(item.key, True, id=item.id)]  # noqa: E731
        stuck.setattr(CLIENTS[kind], "_remove", done)
        stuck.setattr(
            DefenderClient,
            "_remove_batch",
            lambda self, items: [Outcome(item.key, True, id=item.id) for item in items],
        )
        reconcile(target)
    assert receipts(target)["9.9.9.1"] == "accepted"
    assert words_of(target, "9.9.9.1") == "was taken away, and is listed there all the same"
    assert [each.value for each in still_in_force(blocks).shown] == ["9.9.9.1"]
    spent = Spending.objects.values_list("changes", flat=True).first()
    reconcile(target)
    assert Spending.objects.values_list("changes", flat=True).first() == spent
    long_ago(target)
    reconcile(target)
    assert receipts(target)["9.9.9.1"] == "withdrawn"
    assert still_in_force(blocks).total == 0


@BOTH
def test_a_target_is_emptied_only_when_nothing_can_come_any_more(
    lab: Lab,
    kind: str,
    blocks: Watchlist,
    rui: Person,
    case: Case,
    lea: Person,
    monkeypatch: pytest.MonkeyPatch,
):
    block(rui, case, "9.9.9.9")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    read = CLIENTS[kind].read

    def nothing_yet(self: Any, known: Any) -> There:
        there: There = read(self, known)
        return There([], exists=there.exists, places=there.places)

    with monkeypatch.context() as late:
        late.setattr(CLIENTS[kind], "read", nothing_yet)
        reconcile(target)
        retire_target(actor=lea, target=target, because="Not used any more")
        reconcile(target)
        assert (target.stand, receipts(target)) == ("behind", {"9.9.9.9": "pending"})
    long_ago(target)
    reconcile(target)
    assert (target.stand, receipts(target)) == ("emptied", {"9.9.9.9": "withdrawn"})


@BOTH
def test_a_target_is_emptied_when_what_was_sent_never_came(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "9.9.9.9")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    Receipt.objects.create(
        target=target,
        kind="address",
        value="9.9.9.8",
        decision_number=1,
        key="address 9.9.9.8",
        state="pending",
        since=timezone.now(),
        tried_at=timezone.now(),
    )
    retire_target(actor=lea, target=target, because="Not used any more")
    reconcile(target)
    assert target.stand == "behind"
    long_ago(target)
    reconcile(target)
    assert target.stand == "emptied"


@BOTH
def test_a_lost_answer_puts_no_decision_in_force_before_it_was_made(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    block(rui, case, "9.9.9.9")
    publish(blocks)
    target = target_at(lab, kind, blocks, grace_minutes=0)
    reconcile(target)
    merge_and_settle(case, row("9.9.9.9"))
    decide_on(rui, case, "9.9.9.9", reason="Another")
    new = Decision.objects.in_force().get()
    publish(blocks)
    send = Caller._send

    def lost_afterwards(self: Caller, method: str, *rest: Any) -> Any:
        answer = send(self, method, *rest)
        if method != "GET":
            raise Lost
        return answer

    with monkeypatch.context() as killed:
        killed.setattr(Caller, "_send", lost_afterwards)
        with pytest.raises(Lost):
            reconcile(target)
    reconcile(target)
    assert Enforcement.objects.get(decision=new).effective_at > new.made_at


def test_what_the_service_keeps_in_its_own_way_is_not_sent_again_and_again(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    block(rui, case, "9.9.9.1", "9.9.9.2")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    item = SentinelClient._item

    def louder(self: SentinelClient, *asked: Any) -> Item:
        found = item(self, *asked)
        content = {**found.content, "Reason": found.content["Reason"].upper()}
        return Item(found.id, found.key, content, found.is_ours, found.made_by)

    monkeypatch.setattr(SentinelClient, "_item", louder)
    reconcile(target)
    long_ago(target)
    reconcile(target)
    spent = Spending.objects.get().changes
    for _ in range(3):
        reconcile(target)
    assert Spending.objects.get().changes == spent
    assert receipts(target) == {"9.9.9.1": "refused", "9.9.9.2": "refused"}
    assert words_of(target, "9.9.9.1").startswith("kept otherwise there: Reason is “")


def spent() -> int:
    return Spending.objects.get().changes


def test_what_is_taken_and_not_listed_is_not_sent_in_each_look(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    block(rui, case, "9.9.9.1")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    read = SentinelClient.read

    def hiding(self: SentinelClient, known: Any) -> There:
        there = read(self, known)
        return There([], exists=there.exists, places=there.places)

    with monkeypatch.context() as late:
        late.setattr(SentinelClient, "read", hiding)
        reconcile(target)
        before = spent()
        for _ in range(3):
            reconcile(target)
        assert spent() == before
        assert words_of(target, "9.9.9.1") == "sent, and not seen there yet"
        assert target.stand == "behind"
        long_ago(target)
        reconcile(target)
        assert spent() == before + 1
    reconcile(target)
    assert receipts(target) == {"9.9.9.1": "accepted"}


@BOTH
def test_edits_by_hand_are_not_taken_for_the_service_s_own_way_when_looks_are_cut(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    block(rui, case, "9.9.9.1", "9.9.9.2")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    reconcile(target)
    item = CLIENTS[kind]._item
    text = "Reason" if kind == "sentinel" else "description"

    def edited(self: Any, *asked: Any) -> Item:
        found = item(self, *asked)
        return Item(found.id, found.key, {**found.content, text: "edited"}, found.is_ours, found.made_by)

    with monkeypatch.context() as by_hand:
        by_hand.setattr(CLIENTS[kind], "_item", edited)
        by_hand.setattr(reconciling, "PASS_SECONDS", -1.0)
        for _ in range(3):
            reconcile(target)
            long_ago(target)
        assert set(receipts(target).values()) == {"pending"}
        assert target.stand == "behind"


@BOTH
def test_a_refused_first_request_makes_nothing_forgotten_that_was_sent_before(
    lab: Lab,
    kind: str,
    blocks: Watchlist,
    rui: Person,
    case: Case,
    lea: Person,
    monkeypatch: pytest.MonkeyPatch,
):
    block(rui, case, "9.9.9.1")
    publish(blocks)
    target = target_at(lab, kind, blocks)
    read = CLIENTS[kind].read

    def nothing_yet(self: Any, known: Any) -> There:
        there: There = read(self, known)
        return There([], exists=there.exists, places=there.places)

    with monkeypatch.context() as late:
        late.setattr(CLIENTS[kind], "read", nothing_yet)
        reconcile(target)
        block(rui, case, "9.9.9.2")
        publish(blocks)
        late.setattr(Caller, "_once", throttled(Caller._once))
        reconcile(target)
        tried = dict(Receipt.objects.values_list("value", "tried_at"))
        assert tried["9.9.9.1"] is not None
        assert tried["9.9.9.2"] is None
        retire_target(actor=lea, target=target, because="Not used any more")
        reconcile(target)
        assert target.stand != "emptied"


def throttled(once: Any) -> Any:
    def call(self: Caller, method: str, *rest: Any) -> Any:
        if method != "GET":
            raise Throttled("It wants a pause.", retry_after=1)
        return once(self, method, *rest)

    return call


def test_a_retired_target_goes_one_by_one_where_the_month_has_no_room_for_all(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "9.9.9.1", "9.9.9.2", "9.9.9.3")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    reconcile(target)
    Spending.objects.update(changes=CHANGES_A_MONTH - 2)
    retire_target(actor=lea, target=target, because="Not used any more")
    reconcile(target)
    assert sorted(receipts(target).values()) == ["accepted", "withdrawn", "withdrawn"]
    assert Receipt.objects.get(state="accepted").words == "still there: this month's changes are used up"


def test_an_edit_by_hand_that_waits_for_the_month_is_mended_when_there_is_room(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch
):
    block(rui, case, "9.9.9.1")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    reconcile(target)
    long_ago(target)
    item = SentinelClient._item

    def edited(self: SentinelClient, *asked: Any) -> Item:
        found = item(self, *asked)
        return Item(found.id, found.key, {**found.content, "Reason": "edited"}, found.is_ours, found.made_by)

    with monkeypatch.context() as by_hand:
        by_hand.setattr(SentinelClient, "_item", edited)
        Spending.objects.update(changes=CHANGES_A_MONTH)
        reconcile(target)
        Spending.objects.update(changes=0)
        reconcile(target)
    assert spent() == 1
    assert receipts(target) == {"9.9.9.1": "pending"}


def test_what_a_retired_target_lists_all_the_same_is_not_asked_for_in_each_look(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person, monkeypatch: pytest.MonkeyPatch
):
    block(rui, case, "9.9.9.1", "9.9.9.2")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks)
    reconcile(target)
    retire_target(actor=lea, target=target, because="Not used any more")
    read = SentinelClient.read
    listed: list[There] = []

    def as_before(self: SentinelClient, known: Any) -> There:
        listed.append(listed[0] if listed else read(self, known))
        return listed[0]

    with monkeypatch.context() as stale:
        stale.setattr(SentinelClient, "read", as_before)
        reconcile(target)
        before = spent()
        for _ in range(3):
            reconcile(target)
        assert spent() == before
    reconcile(target)
    assert target.stand == "emptied"


def test_a_feed_whose_format_cannot_say_it_holds_no_block(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    block(rui, case, "a.example")
    publish(blocks)
    target = target_at(lab, "sentinel", blocks, grace_minutes=0)
    reconcile(target)
    retire_target(actor=lea, target=target, because="Not used any more")
    reconcile(target)
    for format, is_held in (("pan-os-ip", False), ("pan-os-domain", True)):
        consumer, _ = add_consumer(actor=lea, watchlist=blocks, name=format, format=format)
        Consumer.objects.filter(pk=consumer.pk).update(holds=1)
        assert effects_of(case, ["a.example"])["a.example"].is_held == is_held


def test_a_lease_that_is_over_means_that_nobody_is_at_it(lab: Lab, blocks: Watchlist):
    target = target_at(lab, "sentinel", blocks)
    holding.claim(target.pk, "a worker")
    target.refresh_from_db()
    assert ShownTarget(target, None, {}).is_being_looked_at
    target.lease_until = timezone.now() - timedelta(days=3)
    assert not ShownTarget(target, None, {}).is_being_looked_at
