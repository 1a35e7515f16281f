"""Which groups a person has, the most urgent first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from footprint.accounts.models import Person, Role
from footprint.desk.inbox.approvals import approvals, batches, came_back
from footprint.desk.inbox.blocks import after_block
from footprint.desk.inbox.cases import assigned, undecided
from footprint.desk.inbox.expiring import expiring
from footprint.desk.inbox.groups import Gather, Group
from footprint.desk.inbox.lists import held, targets
from footprint.desk.inbox.reviews import reviews_due
from footprint.desk.inbox.runs import hunts, runs
from footprint.desk.inbox.sources import refusing

AT_MOST = 10
ALL_AT_MOST = 500

_GATHER: Mapping[str, Gather] = {
    "after_block": after_block,
    "approvals": approvals,
    "assigned": assigned,
    "batches": batches,
    "came_back": came_back,
    "expiring": expiring,
    "held": held,
    "hunts": hunts,
    "refusing": refusing,
    "reviews": reviews_due,
    "runs": runs,
    "targets": targets,
    "undecided": undecided,
}
# In order of harm: what goes on now, what colleagues wait for, what is one's own, what may wait.
_ORDERS: Mapping[str, Sequence[str]] = {
    Role.LEAD: (
        *("after_block", "approvals", "batches", "held", "refusing", "targets"),
        *("came_back", "reviews", "assigned", "undecided", "expiring", "hunts", "runs"),
    ),
    Role.REVIEWER: (
        *("approvals", "batches", "after_block", "reviews", "came_back"),
        *("assigned", "undecided", "expiring", "refusing", "hunts", "runs"),
    ),
    Role.ANALYST: (
        *("came_back", "after_block", "assigned", "undecided"),
        *("refusing", "runs", "hunts", "expiring"),
    ),
}


def has_work(person: Person) -> bool:
    """Readers, auditors and administrators decide nothing, so nothing waits for them here."""
    return person.role in _ORDERS


def inbox_of(person: Person) -> list[Group]:
    """All groups that have lines."""
    gathered = (_GATHER[slug](person, AT_MOST) for slug in _ORDERS.get(person.role, ()))
    return [group for group in gathered if group.lines]


def whole_group(person: Person, slug: str) -> Group | None:
    """One group with all its lines; None when the person has no such group."""
    return _GATHER[slug](person, ALL_AT_MOST) if slug in _ORDERS.get(person.role, ()) else None
