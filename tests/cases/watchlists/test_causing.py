"""Who may not release a publication that is held."""

from __future__ import annotations

import pytest

from cases.models import Case
from cases.watchlists import actions, publishing
from cases.watchlists.models import Publication, Watchlist
from cases.watchlists.publishing import CannotPublish
from footprint.accounts.models import Person, Role
from tests.cases.batches.bulk import decided, undone
from tests.cases.watchlists.worlds import block, publish
from tests.cases.world import merge_and_settle, row

VALUES = [f"9.9.9.{number}" for number in range(20)]


@pytest.fixture
def blocks(db: None) -> Watchlist:
    return Watchlist.objects.get(slug="all-blocks")


def lead(name: str) -> Person:
    return Person.objects.create_user(name, password="a long enough word", role=Role.LEAD)


def held(blocks: Watchlist) -> Publication:
    publication = publish(blocks)
    assert publication is not None
    assert publication.state == "held"
    assert publication.made_by is None
    return publication


def test_whoever_undid_many_at_once_releases_no_list_that_lost_them(case: Case, blocks: Watchlist):
    lea, tom = lead("lea"), lead("tom")
    merge_and_settle(case, *(row(value) for value in VALUES))
    batch = decided(lea, case)
    publish(blocks)
    undone(lea, batch)
    waiting = held(blocks)
    with pytest.raises(CannotPublish, match="another person must release it"):
        publishing.release(actor=lea, publication=waiting)
    assert publishing.release(actor=tom, publication=waiting).number == 2


def test_everybody_who_changed_the_rule_since_counts(case: Case, rui: Person, blocks: Watchlist):
    lea, tom, una = lead("lea"), lead("tom"), lead("una")
    block(rui, case, *VALUES)
    publish(blocks)
    for who, kinds in ((lea, ["name"]), (tom, ["name", "below"])):
        actions.change_rule(
            actor=who, watchlist=blocks, title="x", about="", kinds=kinds, scopes=["everywhere"], cases=[]
        )
    waiting = held(blocks)
    for who in (lea, tom):
        with pytest.raises(CannotPublish, match="another person must release it"):
            publishing.release(actor=who, publication=waiting)
    assert publishing.release(actor=una, publication=waiting).number == 2
