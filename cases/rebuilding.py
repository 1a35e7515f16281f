"""The decisions as the ledger tells them, folded entry by entry, and where the tables say otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cases.decision_entries import as_kept
from cases.models import Decision
from footprint.ledger.models import Entry

Kept = dict[str, object]


@dataclass(frozen=True, slots=True)
class Difference:
    decision: int
    field: str
    in_ledger: object
    in_table: object

    def __str__(self) -> str:
        return (
            f"Decision {self.decision}: {self.field} is {self.in_ledger!r} in the ledger and"
            f" {self.in_table!r} in the table."
        )


def fold(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[int, Kept]:
    """What each decision was when an entry last told of it; `entries` are subject ids and contents.

    Whatever the event is called: each tells all of the decision afterwards, its state with it.
    """
    decisions: dict[int, Kept] = {}
    for decision, content in entries:
        after = content.get("after")
        if isinstance(after, Mapping) and "state" in after:
            decisions[int(decision)] = decisions.get(int(decision), {}) | dict(after)
    return decisions


def from_ledger() -> dict[int, Kept]:
    told = Entry.objects.filter(subject_kind="decision").order_by("seq")
    return fold((entry.subject_id, entry.content) for entry in told.iterator(chunk_size=2_000))


def in_force(decisions: Mapping[int, Kept]) -> dict[int, Kept]:
    return {pk: kept for pk, kept in decisions.items() if kept["state"] == Decision.State.IN_FORCE}


def differences() -> Iterator[Difference]:
    """Between the ledger and the table, for every decision there ever was."""
    told = from_ledger()
    for decision in Decision.objects.order_by("pk").iterator(chunk_size=2_000):
        kept = as_kept(decision)
        in_ledger = told.pop(decision.pk, None)
        if in_ledger is None:
            yield Difference(decision.pk, "existence", "absent", kept["state"])
            continue
        for field, value in kept.items():
            if in_ledger.get(field) != value:
                yield Difference(decision.pk, field, in_ledger.get(field), value)
    for pk, kept in sorted(told.items()):
        yield Difference(pk, "existence", kept["state"], "absent")
