"""Publications that wait for a second person."""

from __future__ import annotations

import pytest

from cases.actions import undo
from cases.models import Case, Decision, Proposal
from cases.proposal_actions import approve
from cases.watchlists import actions, publishing
from cases.watchlists.models import Publication, Watchlist
from cases.watchlists.publishing import CannotPublish
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from tests.cases.batches.bulk import decided, undone
from tests.cases.intakes.test_landing import landed
from tests.cases.watchlists.lists import block_many, publish, see, told, values_of
from tests.cases.world import decide_on


def narrow(blocks: Watchlist, lea: Person) -> None:
    actions.change_rule(
        actor=lea, watchlist=blocks, title="x", about="", kinds=["address"], scopes=["everywhere"], cases=[]
    )


def test_a_rule_that_empties_a_list_is_held_for_another_person(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    block_many(rui, case, 20)
    publish(blocks)
    narrow(blocks, lea)
    held = publish(blocks, by=lea)
    assert held is not None
    assert (held.state, held.number, held.removed) == ("held for a second person"[:4], None, 20)
    with pytest.raises(CannotPublish, match="another person"):
        publishing.release(actor=lea, publication=held)
    released = publishing.release(actor=tom, publication=held)
    assert (released.number, released.approver, values_of(released)) == (2, tom, [])


def test_what_the_clock_holds_is_not_released_by_who_changed_the_rule(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    block_many(rui, case, 20)
    publish(blocks)
    narrow(blocks, lea)
    held = publish(blocks)
    assert held is not None
    actions.change_rule(
        actor=tom, watchlist=blocks, title="y", about="", kinds=["address"], scopes=["everywhere"], cases=[]
    )
    with pytest.raises(CannotPublish, match="another person"):
        publishing.release(actor=lea, publication=held)
    assert publishing.release(actor=tom, publication=held).approver == tom


def test_a_held_roll_back_is_not_released_while_all_publishing_is_paused(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    see(case, "9.9.9.9")
    decide_on(rui, case, "9.9.9.9")
    publish(blocks)
    block_many(rui, case, 40)
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.state == "held"
    actions.pause_all(actor=lea, why="Firewall migration")
    with pytest.raises(CannotPublish, match="Firewall migration"):
        publishing.release(actor=tom, publication=held)


def test_what_was_held_and_has_moved_is_not_released(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    block_many(rui, case, 20)
    publish(blocks)
    narrow(blocks, lea)
    held = publish(blocks, by=lea)
    assert held is not None
    see(case, "9.9.9.9")
    decide_on(rui, case, "9.9.9.9")
    with pytest.raises(CannotPublish, match="changed since"):
        publishing.release(actor=tom, publication=held)


def test_single_decisions_may_take_a_list_apart(case: Case, rui: Person, blocks: Watchlist):
    block_many(rui, case, 20)
    publish(blocks)
    for decision in Decision.objects.in_force():
        undo(actor=rui, decision=decision)
    made = publish(blocks)
    assert made is not None
    assert (made.state, made.entries) == ("published", 0)


def test_a_bulk_decision_that_takes_a_list_apart_is_held(case: Case, rui: Person, blocks: Watchlist):
    see(case, *(f"9.9.9.{number}" for number in range(20)))
    batch = decided(rui, case)
    publish(blocks)
    undone(rui, batch)
    held = publish(blocks)
    assert held is not None
    assert (held.state, held.removed) == ("held", 20)


def test_a_bulk_decision_in_the_place_of_others_is_held(case: Case, rui: Person, blocks: Watchlist):
    block_many(rui, case, 20)
    publish(blocks)
    decided(rui, case, verdict="allowed")
    held = publish(blocks)
    assert held is not None
    assert (held.state, held.removed) == ("held", 20)


def test_a_list_taken_in_in_the_place_of_others_is_held(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    block_many(rui, case, 20)
    publish(blocks)
    subjects = Decision.objects.in_force().values_list("subject", flat=True)
    landed(rui, "\n".join(subjects), "allowed", takes_over=True)
    for proposal in Proposal.objects.waiting():
        approve(actor=lea, proposal=proposal)
    held = publish(blocks)
    assert held is not None
    assert (held.state, held.removed) == ("held", 20)


def test_fewer_than_twenty_entries_are_never_held(case: Case, rui: Person, blocks: Watchlist, lea: Person):
    block_many(rui, case, 19)
    publish(blocks)
    narrow(blocks, lea)
    made = publish(blocks)
    assert made is not None
    assert made.state == "published"


def test_the_clock_holds_the_same_thing_once(case: Case, rui: Person, blocks: Watchlist, lea: Person):
    block_many(rui, case, 20)
    publish(blocks)
    narrow(blocks, lea)
    first, second = publish(blocks), publish(blocks)
    assert first == second
    assert Entry.objects.filter(event="watchlists:publication:held").count() == 1


def held_by_roll_back(rui: Person, case: Case, blocks: Watchlist, lea: Person) -> Publication:
    """Of a version with fewer entries: it would lose more than half."""
    see(case, "9.9.9.9")
    decide_on(rui, case, "9.9.9.9")
    publish(blocks)
    block_many(rui, case, 40)
    publish(blocks)
    return publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")


def test_a_held_publication_whose_place_is_taken_is_told_in_the_ledger(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    held_by_roll_back(rui, case, blocks, lea)
    publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="Again")
    entry = Entry.objects.get(event="watchlists:publication:refused")
    assert entry.content["reason"] == "Another publication has taken its place."


def test_a_held_publication_that_has_nothing_to_say_any_more_is_told_in_the_ledger(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    held = held_by_roll_back(rui, case, blocks, lea)
    actions.resume(actor=lea, watchlist=blocks)
    assert publish(blocks) is None
    held.refresh_from_db()
    assert held.state == "refused"
    entry = Entry.objects.get(event="watchlists:publication:refused")
    assert entry.content["reason"] == "There is nothing to publish any more."


def test_a_refusal_pauses_the_list_and_the_ledger_says_so(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    held = held_by_roll_back(rui, case, blocks, lea)
    first = {"paused": True, "why": "Rolled back to version 1."}
    publishing.refuse(actor=lea, publication=held, why="Not now")
    assert told("watchlists:watchlist:paused") == [
        ({"paused": False}, first),
        (first, {"paused": True, "why": "A publication was refused: Not now"}),
    ]
    actions.resume(actor=lea, watchlist=blocks)
    assert told("watchlists:watchlist:resumed")[0][1] == {"paused": False}


def test_what_is_only_held_leaves_what_is_to_be_settled_as_it_was(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    block_many(rui, case, 40)
    decide_on(rui, case, "n00.example", verdict="allowed", scope="case")
    publish(blocks)
    narrow(blocks, lea)
    held = publish(blocks)
    assert held is not None
    assert [each.value for each in blocks.conflicts.all()] == ["n00.example"]
    publishing.release(actor=tom, publication=held)
    assert list(blocks.conflicts.all()) == []
