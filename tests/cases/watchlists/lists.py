"""Decisions, and the lists that are made of them."""

from __future__ import annotations

from django.db import transaction

from cases.clock import database_now
from cases.models import Case, Decision
from cases.watchlists import publishing
from cases.watchlists.entries import entries_of
from cases.watchlists.models import Publication, Watchlist
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from tests.cases.world import decide_on, merge_and_settle, row


def see(case: Case, *values: str) -> None:
    merge_and_settle(case, *(row(value) if value[0].isdigit() else row(dns=value) for value in values))


def decide_wide(rui: Person, case: Case, kind: str, subject: str, verdict: str = "blocked") -> Decision:
    return Decision.objects.create(
        verdict=verdict,
        subject_kind=kind,
        subject=subject,
        network=subject if kind == "network" else None,
        scope="everywhere",
        made_in=case,
        reason="Wide",
        state="in force",
        proposer=rui,
        made_at=database_now(),
    )


def publish(watchlist: Watchlist, by: Person | None = None) -> Publication | None:
    actor = Actor.person(by) if by else Actor.clock("test")
    return publishing.publish(actor=actor, watchlist=watchlist, why="A test", by=by)


def values_of(publication: Publication | None) -> list[str]:
    assert publication is not None
    with transaction.atomic():
        return [each.value for each in entries_of(publication)]


def block_many(rui: Person, case: Case, count: int) -> None:
    names = [f"n{number:02}.example" for number in range(count)]
    see(case, *names)
    for name in names:
        decide_on(rui, case, name)


def told(event: str) -> list[tuple[object, object]]:
    """What the entries of the event say of before and after, the first one first."""
    found = Entry.objects.filter(event=event).order_by("seq")
    return [(entry.content["before"], entry.content["after"]) for entry in found]
