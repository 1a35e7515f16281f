"""Indicators of what left a list and came back."""

from __future__ import annotations

from io import BytesIO

import stix2
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cases.actions import undo
from cases.models import Case, Decision
from cases.watchlists import actions, publishing
from cases.watchlists.entries import heading, read_for
from cases.watchlists.formats.plain_text import PlainText
from cases.watchlists.formats.stix import Stix
from cases.watchlists.models import Publication, Watchlist
from cases.watchlists.rendering import render
from footprint.accounts.models import Person
from footprint.ledger.record import Actor
from tests.cases.watchlists.lists import publish, see
from tests.cases.world import decide_on


def indicators_of(publication: Publication) -> dict[str, bool]:
    """Each id with whether it is revoked."""
    text = BytesIO()
    with transaction.atomic():
        entries, gone = read_for(Stix, publication)
        render(Stix, heading(publication), entries, text, gone)
    objects = stix2.parse(text.getvalue().decode(), version="2.1").objects
    return {each["id"]: each.get("revoked", False) for each in objects if each["type"] == "indicator"}


def test_what_comes_back_is_a_new_indicator_because_being_revoked_is_for_ever(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    first = publish(blocks)
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    second = publish(blocks)
    third = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert first is not None
    assert second is not None
    (old,) = indicators_of(first)
    assert indicators_of(second) == {old: True}
    told = indicators_of(third)
    (new,) = (each for each, is_revoked in told.items() if not is_revoked)
    assert told == {old: True, new: False}
    assert indicators_of(third) == told


def test_what_came_back_is_looked_for_only_where_the_format_tells_it(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    publish(blocks)
    back = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    looked = {}
    for format in (PlainText, Stix):
        with CaptureQueriesContext(connection) as queries:
            taken = actions.download(
                actor=Actor.person(lea), watchlist=blocks, format=format, publication=back
            )
        taken.content.close()
        looked[format.slug] = any("e.added_in > o.removed_in" in each["sql"] for each in queries)
    assert looked == {"plain-text": False, "stix": True}


def test_an_entry_that_only_may_widen_no_more_keeps_its_indicator(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    first = publish(blocks)
    see(case, "new.a.example")
    decide_on(rui, case, "b.example")
    second = publish(blocks)
    assert first is not None
    assert second is not None
    assert indicators_of(first).items() <= indicators_of(second).items()
