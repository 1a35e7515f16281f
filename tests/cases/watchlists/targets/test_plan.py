from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from cases.watchlists.formats import ListEntry
from cases.watchlists.targets.base import Client, EntryId, Item, Plan, Wish
from cases.watchlists.targets.plan import NO_CHANGES_LEFT, NO_PLACE, Room, make_plan, wishes_of
from tests.cases.watchlists.targets.places import entry

KEYS = st.sampled_from("abcdefgh")
CONTENTS = st.sampled_from(["1", "2", "3"])


def wish(key: str, content: str = "1", number: int = 1) -> Wish:
    return Wish(key, {"said": content}, (EntryId("name", key, number),))


def item(item_id: str, key: str, content: str = "1", *, is_ours: bool = True) -> Item:
    return Item(item_id, key, {"said": content, "more": "x"}, is_ours=is_ours)


WISHES = st.dictionaries(KEYS, CONTENTS).map(
    lambda known: [wish(key, content, number) for number, (key, content) in enumerate(known.items())]
)
ITEMS = st.lists(st.tuples(st.one_of(KEYS, st.just("")), CONTENTS, st.booleans()), max_size=12).map(
    lambda rows: [
        item(str(number), key or "zz" if is_ours else key, content, is_ours=is_ours)
        for number, (key, content, is_ours) in enumerate(rows)
    ]
)
ROOMS = st.builds(Room, st.one_of(st.none(), st.integers(0, 8)), st.one_of(st.none(), st.integers(-2, 8)))


def carried_out(plan: Plan, items: list[Item]) -> list[Item]:
    gone = {each.id for each in plan.removals}
    changed = {each.id: wish for wish, each in plan.changes}
    left = [each for each in items if each.id not in gone]
    there = [replace(each, content=changed[each.id].content) if each.id in changed else each for each in left]
    return [*there, *(Item(f"new {wish.key}", wish.key, wish.content) for wish in plan.adds)]


@given(WISHES, ITEMS)
def test_carried_out_the_service_holds_what_is_wished(wishes: list[Wish], items: list[Item]):
    plan = make_plan(wishes, items, Room())
    after = carried_out(plan, items)
    taken = {each.key for each in items if not each.is_ours}
    ours = {each.key for each in items if each.is_ours}
    told = {entry.entry.value for entry in plan.refused}
    assert told == {wish.key for wish in wishes if wish.key in taken and wish.key not in ours}
    assert sorted((each.key, each.content["said"]) for each in after if each.is_ours) == sorted(
        (wish.key, wish.content["said"]) for wish in wishes if wish.key not in told
    )


@given(WISHES, ITEMS, ROOMS)
def test_what_others_made_is_left_as_it_is(wishes: list[Wish], items: list[Item], room: Room):
    others = [each for each in items if not each.is_ours]
    assert [each for each in carried_out(make_plan(wishes, items, room), items) if not each.is_ours] == others


@given(WISHES, ITEMS)
def test_carried_out_twice_the_second_time_does_nothing(wishes: list[Wish], items: list[Item]):
    after = carried_out(make_plan(wishes, items, Room()), items)
    assert make_plan(wishes, after, Room()).is_empty


@given(WISHES, ITEMS, ROOMS)
def test_a_plan_stays_within_its_room(wishes: list[Wish], items: list[Item], room: Room):
    plan = make_plan(wishes, items, room)
    count = len(plan.adds) + len(plan.changes) + len(plan.removals)
    assert room.changes is None or count <= room.changes
    if room.places is not None:
        assert len(plan.adds) <= max(0, room.places + len(plan.removals))


@given(WISHES, ITEMS, ROOMS)
def test_every_wish_and_every_item_of_ours_has_one_outcome(wishes: list[Wish], items: list[Item], room: Room):
    plan = make_plan(wishes, items, room)
    told = [
        *(each.key for each in plan.adds),
        *(each.key for each, _ in (*plan.changes, *plan.kept, *plan.waiting)),
        *(each.entry.value for each in plan.refused),
    ]
    assert sorted(told) == sorted(wish.key for wish in wishes)
    unchanged = [wish.key for wish, why in plan.waiting if why == NO_CHANGES_LEFT]
    ours = [
        *(each.id for each in plan.removals),
        *(each.id for each, _ in plan.staying),
        *(each.id for _, each in (*plan.changes, *plan.kept)),
    ]
    missing = {each.id for each in items if each.is_ours} - set(ours)
    assert len(ours) == len(set(ours))
    assert {each.key for each in items if each.id in missing} <= set(unchanged)


@given(WISHES, ITEMS, st.integers(1, 3))
def test_with_little_room_it_comes_to_an_end_all_the_same(
    wishes: list[Wish], items: list[Item], at_once: int
):
    for _ in range(40):
        plan = make_plan(wishes, items, Room(changes=at_once))
        if plan.is_empty:
            break
        items = carried_out(plan, items)
    assert make_plan(wishes, items, Room()).is_empty


def test_removals_come_before_additions_when_changes_are_few():
    plan = make_plan([wish("a"), wish("b")], [item("1", "c")], Room(changes=2))
    assert ([each.key for each in plan.removals], [each.key for each in plan.adds]) == (["c"], ["a"])
    assert [(each.key, why) for each, why in plan.waiting] == [("b", NO_CHANGES_LEFT)]


def test_the_newest_decision_has_the_last_place():
    plan = make_plan([wish("a", number=1), wish("b", number=2)], [], Room(places=1))
    assert [each.key for each in plan.adds] == ["b"]
    assert [(each.key, why) for each, why in plan.waiting] == [("a", NO_PLACE)]


class Only:
    """A client that is asked for wishes alone."""

    def __init__(self, answer: Callable[[ListEntry], Wish | str]) -> None:
        self.wish_of = answer


def wished(answer: Callable[[ListEntry], Wish | str], entries: list[ListEntry], most: int = 10) -> Any:
    return wishes_of(cast(Client, Only(answer)), entries, most)


def test_two_entries_that_come_to_one_item_are_one_wish():
    both = [entry("a.example", 1), entry("a.example", 2, kind="below")]
    wishes, _, _ = wished(
        lambda each: Wish("same", {}, (EntryId(each.kind, each.value, each.decision),)), both
    )
    assert [sorted(each.decision for each in wish.entries) for wish in wishes] == [[1, 2]]


def test_of_too_many_entries_the_newest_are_kept():
    many = [entry(f"n{number}.example", number) for number in range(10)]
    _, refused, beyond = wished(lambda each: "no", many, 4)
    assert (sorted(each.entry.decision for each in refused), beyond) == ([6, 7, 8, 9], (6, 6))
