"""What a version keeps, and what the ledger and the log say of it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from structlog.testing import capture_logs

from cases.actions import undo
from cases.models import Case
from cases.watchlists import actions, publishing
from cases.watchlists.entries import difference, gone_before, heading
from cases.watchlists.models import Publication, Watchlist
from footprint.accounts.models import Person
from footprint.ledger.models import Checkpoint, Entry
from tests.cases.watchlists.lists import publish, see, values_of
from tests.cases.world import decide_on


def test_a_version_keeps_its_entries_whatever_comes_later(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example", "b.example")
    decision = decide_on(rui, case, "a.example")
    first = publish(blocks)
    undo(actor=rui, decision=decision)
    decide_on(rui, case, "b.example")
    second = publish(blocks)
    assert (values_of(first), values_of(second)) == (["a.example"], ["b.example"])
    assert second is not None
    assert (second.number, second.added, second.removed, second.entries) == (2, 1, 1, 1)


def test_nothing_is_published_when_nothing_has_changed(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    assert publish(blocks) is not None
    assert publish(blocks) is None
    assert Publication.objects.count() == 1


def test_the_same_entries_have_the_same_hash(case: Case, rui: Person, blocks: Watchlist, lea: Person):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    first = publish(blocks)
    decide_on(rui, case, "b.example")
    publish(blocks)
    back = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="b.example was a mistake")
    assert first is not None
    assert (back.number, back.sha256, values_of(back)) == (3, first.sha256, ["a.example"])


def test_the_ledger_tells_every_publication(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    made = publish(blocks)
    entry = Entry.objects.get(event="watchlists:publication:made")
    assert made is not None
    assert entry.content["after"] == {
        "number": 1,
        "entries": 1,
        "added": 1,
        "removed": 0,
        "sha256": made.sha256,
    }


def test_a_checkpoint_is_made_before_a_publication(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    made = Entry.objects.get(event="watchlists:publication:made")
    assert Checkpoint.objects.get().seq == made.seq - 1


def test_without_a_key_a_list_is_published_and_the_log_says_so(
    case: Case, rui: Person, blocks: Watchlist, settings: Any
):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"ledger_key": "not a key"})
    with capture_logs() as logs:
        made = publish(blocks)
    assert (values_of(made), Checkpoint.objects.count()) == (["a.example"], 0)
    assert [(log["event"], log["watchlist"]) for log in logs] == [("published_unsealed", "all-blocks")]


def test_two_versions_are_compared_whichever_they_are(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example", "b.example", "c.example")
    for value in ("a.example", "b.example", "c.example"):
        decide_on(rui, case, value)
        publish(blocks)
    found = difference(blocks, 1, 3, 1)
    assert ([each.value for each in found.added], found.added_count) == (["b.example"], 2)
    assert difference(blocks, 3, 1, 10).removed_count == 2


def test_what_has_left_is_known_with_its_moment(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example")
    decision = decide_on(rui, case, "a.example")
    publish(blocks)
    undo(actor=rui, decision=decision)
    second = publish(blocks)
    assert second is not None
    with transaction.atomic():
        (gone,) = gone_before(second)
    assert (gone.entry.value, gone.at) == ("a.example", second.made_at)


def test_a_version_is_called_as_its_list_was_called_then(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    first = publish(blocks)
    assert first is not None
    asked: dict[str, Any] = {"kinds": blocks.subject_kinds, "scopes": blocks.scopes, "cases": []}
    actions.change_rule(actor=lea, watchlist=blocks, title="Renamed", about="Anew", **asked)
    first.refresh_from_db()
    assert heading(first).title == "All blocks"
    assert heading(first).about == blocks.about
