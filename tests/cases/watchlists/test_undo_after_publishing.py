"""After a publication an undo is a new decision like any other: what was published stays as it was."""

from __future__ import annotations

import pytest

from cases.actions import undo
from cases.models import Case, Decision
from cases.rebuilding import differences
from cases.watchlists.entries import entries_of
from cases.watchlists.models import Publication, Watchlist
from footprint.accounts.models import Person
from tests.cases.watchlists.worlds import publish
from tests.cases.world import decide_on, merge_and_settle, row, verdict_of

NAME = "a.example"


@pytest.fixture
def blocks(db: None) -> Watchlist:
    return Watchlist.objects.get(slug="all-blocks")


@pytest.fixture
def allowed(case: Case, rui: Person, ana: Person) -> Decision:
    """By a colleague, before the block that is published and undone."""
    merge_and_settle(case, row(dns=NAME), row(dns="b.example"))
    decide_on(rui, case, "b.example")
    return decide_on(ana, case, NAME, "allowed")


def published(watchlist: Watchlist) -> Publication:
    made = publish(watchlist)
    assert made is not None
    return made


def values_of(publication: Publication) -> set[str]:
    return {entry.value for entry in entries_of(publication)}


def test_what_was_published_stays_and_the_next_version_has_it_no_more(
    allowed: Decision, case: Case, rui: Person, blocks: Watchlist
):
    block = decide_on(rui, case, NAME)
    first = published(blocks)
    undo(actor=rui, decision=block)
    assert values_of(first) == {NAME, "b.example"}
    assert values_of(published(blocks)) == {"b.example"}


def test_what_was_superseded_is_decided_anew_after_the_publication(
    allowed: Decision, case: Case, rui: Person, ana: Person, blocks: Watchlist
):
    block = decide_on(rui, case, NAME)
    first = published(blocks)
    again = undo(actor=rui, decision=block).remade
    assert again is not None
    assert (again.pk != allowed.pk, again.proposer, again.made_at > first.made_at) == (True, ana, True)
    assert verdict_of(case, NAME) == "allowed"
    assert values_of(published(Watchlist.objects.get(slug="all-allows"))) == {NAME}
    assert list(differences()) == []
