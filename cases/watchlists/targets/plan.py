"""The difference between what a service should hold and what it holds, within its budgets. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from typing import NamedTuple

from cases.watchlists.formats import ListEntry
from cases.watchlists.targets.base import Client, EntryId, Item, Plan, Refusal, Wish

NO_CHANGES_LEFT = "waits: this month's changes are used up"
NO_PLACE = "waits: the service is full"
SENT = "sent, and not seen there yet"
STILL_LISTED = "was taken away, and is listed there all the same"
STILL_THERE = "still there: this month's changes are used up"


@dataclass(frozen=True, slots=True)
class Room:
    """What may still be done there; None is no limit."""

    changes: int | None = None
    places: int | None = None


class TooMany(NamedTuple):
    """The entries beyond what a target takes: how many, and the oldest decision of those that it takes."""

    entries: int = 0
    older_than: int = 0


def wishes_of(
    client: Client, entries: Iterable[ListEntry], most: int
) -> tuple[list[Wish], list[Refusal], TooMany]:
    """What to say and what cannot be said of the newest entries; and what is beyond `most` of them."""
    wishes: dict[str, Wish] = {}
    refused: list[Refusal] = []
    newest, beyond = _newest(entries, most)
    for entry in newest:
        which = EntryId(entry.kind, entry.value, entry.decision)
        wish = client.wish_of(entry)
        if isinstance(wish, str):
            refused.append(Refusal(which, wish))
        elif (same := wishes.get(wish.key)) is not None:
            wishes[wish.key] = replace(same, entries=(*same.entries, which))
        else:
            wishes[wish.key] = wish
    oldest = min((entry.decision for entry in newest), default=0)
    return list(wishes.values()), refused, TooMany(beyond, oldest if beyond else 0)


def _newest(entries: Iterable[ListEntry], most: int) -> tuple[list[ListEntry], int]:
    """In the memory of `most` entries, however many there are."""
    count = 0

    def counted() -> Iterator[ListEntry]:
        nonlocal count
        for entry in entries:
            count += 1
            yield entry

    kept = nlargest(most, counted(), key=lambda entry: entry.decision)
    return kept, count - len(kept)


def make_plan(
    wishes: Sequence[Wish],
    items: Iterable[Item],
    room: Room,
    refused: Sequence[Refusal] = (),
    unwilling: Mapping[str, str] | None = None,
    lingering: Collection[str] = (),
    awaited: Collection[str] = (),
) -> Plan:
    """Removals come first, then changes, then additions with the newest decisions first.

    `unwilling`: keys of wishes that the service refused a short while ago, and why; they are not sent again,
    and what is there for them stays. `lingering`: keys of items that were taken away a short while ago and
    are listed all the same; that is not asked again at once, for each time is a change. `awaited`: keys of
    wishes that the service has taken a short while ago and does not list yet.
    """
    unwilling = unwilling or {}
    ours: dict[str, list[Item]] = defaultdict(list)
    taken: dict[str, Item] = {}
    for item in items:
        if item.is_ours:
            ours[item.key].append(item)
        elif item.key:
            taken[item.key] = item
    adds: list[Wish] = []
    changes: list[tuple[Wish, Item]] = []
    kept: list[tuple[Wish, Item]] = []
    removals: list[Item] = []
    never = list(refused)
    waiting: list[tuple[Wish, str]] = []
    for wish in wishes:
        mine = sorted(ours.pop(wish.key, ()), key=lambda item: (not _says(item, wish), item.id))
        removals += mine[1:]
        is_there = bool(mine) and _says(mine[0], wish)
        if wish.key in awaited and not is_there:
            waiting.append((wish, SENT))
        elif wish.key in unwilling and not is_there:
            never += [Refusal(entry, unwilling[wish.key]) for entry in wish.entries]
        elif mine:
            (kept if is_there else changes).append((wish, mine[0]))
        elif wish.key in taken:
            why = f"left to others: {taken[wish.key].made_by or 'somebody else'} has it there"
            never += [Refusal(entry, why) for entry in wish.entries]
        else:
            adds.append(wish)
    removals += [item for left in ours.values() for item in left]
    staying = [(item, STILL_LISTED) for item in removals if item.key in lingering]
    removals = [item for item in removals if item.key not in lingering]
    adds.sort(key=lambda wish: (-wish.newest, wish.key))
    changes.sort(key=lambda change: (-change[0].newest, change[0].key))
    removals.sort(key=lambda item: (item.key, item.id))
    return _within(Plan(adds, changes, removals, kept, never, waiting, staying), room)


def _says(item: Item, wish: Wish) -> bool:
    return _part(item.content, wish.content) == dict(wish.content)


def _part(content: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: content.get(name, "") for name in names}


def _within(plan: Plan, room: Room) -> Plan:
    left = _most(room.changes)
    removals, staying = plan.removals[:left], plan.removals[left:]
    left -= len(removals)
    changes, unchanged = plan.changes[:left], plan.changes[left:]
    left -= len(changes)
    places = _NO_LIMIT if room.places is None else max(0, room.places + len(removals))
    adds = plan.adds[: min(left, places)]
    late = plan.adds[len(adds) :]
    why = NO_PLACE if places < left else NO_CHANGES_LEFT
    return replace(
        plan,
        adds=adds,
        changes=changes,
        removals=removals,
        waiting=[
            *plan.waiting,
            *((wish, NO_CHANGES_LEFT) for wish, _ in unchanged),
            *((wish, why) for wish in late),
        ],
        staying=[*plan.staying, *((item, STILL_THERE) for item in staying)],
    )


_NO_LIMIT = 1 << 62


def _most(limit: int | None) -> int:
    return _NO_LIMIT if limit is None else max(0, limit)
