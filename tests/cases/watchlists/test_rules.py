"""What makes a list, and the switches on it."""

from __future__ import annotations

import pytest

from cases.models import Case
from cases.watchlists import actions
from cases.watchlists.models import Watchlist
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from tests.cases.watchlists.lists import publish, see, told, values_of
from tests.cases.world import decide_on


def test_a_list_takes_what_a_named_case_decided(case: Case, rui: Person, lea: Person):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example", "blocked", "case")
    decide_on(rui, case, "b.example", "blocked", "everywhere")
    made = actions.add_watchlist(
        actor=lea,
        slug="of-the-case",
        title="Of the case",
        about="",
        verdict="blocked",
        kinds=["name"],
        scopes=["everywhere", "case"],
        cases=[case],
    )
    assert values_of(publish(made)) == ["a.example", "b.example"]


def test_a_rule_without_kinds_is_refused_at_its_field(blocks: Watchlist, lea: Person):
    with pytest.raises(actions.Refused) as refused:
        actions.change_rule(
            actor=lea, watchlist=blocks, title="x", about="", kinds=[], scopes=["everywhere"], cases=[]
        )
    assert refused.value.field == "kinds"


def test_a_rule_that_is_saved_as_it_was_is_no_change(blocks: Watchlist, lea: Person):
    blocks.refresh_from_db()
    before = blocks.rule_changed_at
    actions.change_rule(
        actor=lea,
        watchlist=blocks,
        title=blocks.title,
        about=blocks.about,
        kinds=blocks.subject_kinds,
        scopes=blocks.scopes,
        cases=[],
    )
    blocks.refresh_from_db()
    assert (blocks.rule_changed_at, Entry.objects.count()) == (before, 0)


def test_a_second_pause_tells_the_first_ones_reason(lea: Person, tom: Person):
    actions.pause_all(actor=lea, why="Firewall migration")
    actions.pause_all(actor=tom, why="Still not done")
    actions.pause_all(actor=tom, why="Still not done")
    actions.resume_all(actor=lea)
    first = {"paused": True, "by": "lea", "why": "Firewall migration"}
    second = {"paused": True, "by": "tom", "why": "Still not done"}
    assert told("watchlists:publishing:paused") == [({"paused": False}, first), (first, second)]
    assert told("watchlists:publishing:resumed") == [(second, {"paused": False})]


def test_revoking_a_consumer_says_what_it_was(blocks: Watchlist, lea: Person):
    consumer, _ = actions.add_consumer(actor=lea, watchlist=blocks, name="fw", format="plain-text")
    actions.revoke_consumer(actor=lea, consumer=consumer)
    assert told("watchlists:consumer:revoked") == [({"revoked": False}, {"revoked": True})]
