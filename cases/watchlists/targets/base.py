"""What is between a watchlist and a service that holds it: wishes, items, steps and their outcomes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple, Protocol

from cases.watchlists.formats import ListEntry


class EntryId(NamedTuple):
    """The subject of an entry, with the decision that put it on the list."""

    kind: str
    value: str
    decision: int


@dataclass(frozen=True, slots=True)
class Wish:
    """One item that the service should hold. Several entries may come to the same one."""

    key: str
    content: Mapping[str, str]
    entries: tuple[EntryId, ...]
    words: str = ""

    @property
    def newest(self) -> int:
        return max(entry.decision for entry in self.entries)

    @property
    def digest(self) -> str:
        """Of the content, to tell later whether it was the same."""
        return sha256(json.dumps(dict(self.content), sort_keys=True).encode()).hexdigest()


class Refusal(NamedTuple):
    """An entry that is never sent, and why."""

    entry: EntryId
    why: str


@dataclass(frozen=True, slots=True)
class Item:
    """What the service holds. Of others' items `key` is empty unless it stands in the way of ours."""

    id: str
    key: str
    content: Mapping[str, str] = field(default_factory=dict)
    is_ours: bool = True
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class There:
    """All that was read. `places`: how many items more it takes; None where it has no such limit."""

    items: Sequence[Item]
    exists: bool = True
    places: int | None = None

    @property
    def others(self) -> int:
        return sum(not item.is_ours for item in self.items)

    @property
    def ours(self) -> int:
        return len(self.items) - self.others


class Outcome(NamedTuple):
    """What the service said about one item. `id` is its own name for it."""

    key: str
    is_done: bool
    words: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One request that changes something. `cost` is what it takes from a budget of changes, done or not."""

    send: Callable[[], Sequence[Outcome]]
    cost: int
    withdraws: bool = False


class Client(Protocol):
    """Speaks to one target. Raises the errors of footprint/azure/errors.py and targets/errors.py alone."""

    def wish_of(self, entry: ListEntry) -> Wish | str:
        """Or why the entry cannot be said there."""
        ...

    def read(self, known: Mapping[str, str]) -> There:
        """`known`: keys of items of ours, by their ids, whatever was made of them since."""
        ...

    def steps(self, plan: Plan, there: There) -> Iterator[Step]:
        """Each is to be sent before the next one is asked for."""
        ...

    def remove_all(self, there: There) -> Iterator[Step]:
        """Takes away what is ours, and what it stood in where nobody else uses that."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What makes the service hold what the list says. Items of others are in none of these."""

    adds: list[Wish]
    changes: list[tuple[Wish, Item]]
    removals: list[Item]
    kept: list[tuple[Wish, Item]]
    refused: list[Refusal]
    # For want of room or of budget; with the words that say so.
    waiting: list[tuple[Wish, str]]
    staying: list[tuple[Item, str]]

    @property
    def is_empty(self) -> bool:
        return not (self.adds or self.changes or self.removals)
