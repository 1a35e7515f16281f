"""What an earlier version may bring back."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from cases.actions import undo
from cases.clock import database_now
from cases.models import Case, Decision
from cases.watchlists import actions, publishing
from cases.watchlists.entries import entries_of
from cases.watchlists.models import Watchlist
from cases.watchlists.publishing import CannotPublish
from footprint.accounts.models import Person
from tests.cases.watchlists.lists import block_many, decide_wide, publish, see, values_of
from tests.cases.world import decide_on


def test_a_rolled_back_list_waits_until_somebody_resumes_it(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    decide_on(rui, case, "b.example")
    publish(blocks)
    publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    with pytest.raises(CannotPublish, match="paused: Rolled back to version 1"):
        publish(blocks)
    actions.resume(actor=lea, watchlist=blocks)
    assert values_of(publish(blocks)) == ["a.example", "b.example"]


def test_our_own_ranges_do_not_come_back_through_a_roll_back(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, settings: Any
):
    see(case, "9.9.9.9", "a.example", "vpn.contoso.com")
    decide_on(rui, case, "9.9.9.9")
    decide_on(rui, case, "vpn.contoso.com")
    publish(blocks)
    undo(actor=rui, decision=Decision.objects.get(subject="9.9.9.9"))
    undo(actor=rui, decision=Decision.objects.get(subject="vpn.contoso.com"))
    decide_on(rui, case, "a.example")
    publish(blocks)
    own = {"own_networks": "9.9.9.0/24", "own_names": "contoso.com"}
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update=own)
    back = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert values_of(back) == []
    assert {each.why for each in blocks.conflicts.all()} == {
        "one of our own ranges",
        "one of our own names",
    }


def test_a_block_comes_back_against_an_allow_only_with_a_second_person(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    decide_on(rui, case, "a.example", verdict="allowed")
    decide_on(rui, case, "b.example")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.state == "held"
    assert held.held_because == "a.example would come back against a decision that is in force"
    assert values_of(publishing.release(actor=tom, publication=held)) == ["a.example"]


def test_of_many_that_come_back_a_few_are_named_and_the_others_counted(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    block_many(rui, case, 5)
    publish(blocks)
    for number in range(5):
        decide_on(rui, case, f"n{number:02}.example", verdict="allowed")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.held_because == (
        "n00.example, n01.example, n02.example and 2 more would come back against a decision that is in force"
    )


def test_an_allow_does_not_come_back_against_a_block(case: Case, rui: Person, allows: Watchlist, lea: Person):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example", verdict="allowed")
    decide_on(rui, case, "b.example", verdict="allowed")
    publish(allows)
    decide_on(rui, case, "a.example")
    publish(allows)
    with pytest.raises(CannotPublish, match="nothing may be published"):
        publishing.roll_back(actor=lea, watchlist=allows, number=1, why="A mistake")


AROUND = pytest.mark.parametrize(("value", "kind", "around"), [
    ("a.x.example", "below", "x.example"), ("9.9.9.9", "network", "9.9.9.0/24"),
])  # fmt: skip


@AROUND
def test_an_allow_that_was_withdrawn_does_not_come_back_inside_what_is_blocked_since(
    case: Case, rui: Person, allows: Watchlist, lea: Person, value: str, kind: str, around: str
):
    see(case, value, "other.example")
    decide_on(rui, case, value, verdict="allowed")
    publish(allows)
    undo(actor=rui, decision=Decision.objects.get(subject=value))
    decide_wide(rui, case, kind, around)
    decide_on(rui, case, "other.example", verdict="allowed")
    publish(allows)
    back = publishing.roll_back(actor=lea, watchlist=allows, number=1, why="A mistake")
    assert values_of(back) == []
    (conflict,) = allows.conflicts.all()
    assert (conflict.value, conflict.left_out) == (value, True)


@AROUND
def test_a_block_that_was_withdrawn_comes_back_inside_an_allow_only_with_a_second_person(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, value: str, kind: str, around: str
):
    see(case, value, "other.example")
    decide_on(rui, case, value)
    publish(blocks)
    undo(actor=rui, decision=Decision.objects.get(subject=value))
    decide_wide(rui, case, kind, around, "allowed")
    decide_on(rui, case, "other.example")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.state == "held"
    assert held.held_because == f"{value} would come back against a decision that is in force"


@AROUND
def test_an_exception_that_was_decided_anew_comes_back(
    case: Case, rui: Person, allows: Watchlist, lea: Person, value: str, kind: str, around: str
):
    see(case, value, "other.example")
    decide_on(rui, case, value, verdict="allowed")
    publish(allows)
    undo(actor=rui, decision=Decision.objects.get(subject=value))
    decide_on(rui, case, "other.example", verdict="allowed")
    publish(allows)
    decide_wide(rui, case, kind, around)
    decide_on(rui, case, value, verdict="allowed")
    back = publishing.roll_back(actor=lea, watchlist=allows, number=1, why="A mistake")
    assert values_of(back) == [value]


def test_a_held_roll_back_is_not_released_when_more_speaks_against_it_by_now(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    wide = decide_wide(rui, case, "below", "relay.example")
    publish(blocks)
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    Decision.objects.filter(pk=wide.pk).update(state="withdrawn", ended_at=database_now(), ended_by=rui)
    decide_on(rui, case, "b.example")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.held_because == "*.relay.example would come back and cover more than one name or address"
    decide_on(rui, case, "a.example", verdict="allowed")
    with pytest.raises(
        CannotPublish, match=r"a\.example would come back against a decision that is in force"
    ):
        publishing.release(actor=tom, publication=held)
    anew = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert publishing.release(actor=tom, publication=anew).state == "published"


def test_a_held_roll_back_of_a_text_that_looks_like_sentences_is_released(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    see(case, "b.example")
    text = decide_wide(rui, case, "text", "odd. name")
    publish(blocks)
    Decision.objects.filter(pk=text.pk).update(state="withdrawn", ended_at=database_now(), ended_by=rui)
    decide_wide(rui, case, "text", "odd. name", "allowed")
    decide_on(rui, case, "b.example")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.held_because == "odd. name would come back against a decision that is in force"
    assert values_of(publishing.release(actor=tom, publication=held)) == ["odd. name"]


def test_conflicts_are_those_of_a_roll_back_only_once_it_is_released(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    decide_on(rui, case, "a.example", verdict="allowed")
    decide_on(rui, case, "b.example")
    decide_on(rui, case, "b.example", verdict="allowed", scope="case")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert [each.value for each in blocks.conflicts.all()] == ["b.example"]
    publishing.release(actor=tom, publication=held)
    assert [each.value for each in blocks.conflicts.all()] == ["a.example"]


@pytest.mark.parametrize(("kind", "value", "told"), [
    ("below", "relay.example", "*.relay.example"), ("network", "9.9.9.0/24", "9.9.9.0/24"),
])  # fmt: skip
def test_a_wide_block_comes_back_only_with_a_second_person(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, kind: str, value: str, told: str
):
    see(case, "a.example")
    wide = decide_wide(rui, case, kind, value)
    publish(blocks)
    Decision.objects.filter(pk=wide.pk).update(state="withdrawn", ended_at=database_now(), ended_by=rui)
    decide_on(rui, case, "a.example")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.state == "held"
    assert held.held_because == f"{told} would come back and cover more than one name or address"


def test_a_network_with_an_allow_inside_does_not_come_back(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example", "9.9.9.9")
    wide = decide_wide(rui, case, "network", "9.9.9.0/24")
    publish(blocks)
    Decision.objects.filter(pk=wide.pk).update(state="withdrawn", ended_at=database_now(), ended_by=rui)
    decide_on(rui, case, "a.example")
    decide_on(rui, case, "9.9.9.9", verdict="allowed")
    publish(blocks)
    back = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert (back.state, values_of(back)) == ("published", [])


def test_a_name_that_comes_back_takes_nothing_undecided_along(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    see(case, "new.a.example")
    decide_on(rui, case, "b.example")
    publish(blocks)
    back = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    with transaction.atomic():
        (entry,) = entries_of(back)
    assert (entry.value, entry.may_widen) == ("a.example", False)
