from __future__ import annotations

import pytest

from cases.watchlists.targets import sentinel
from cases.watchlists.targets.base import There
from cases.watchlists.targets.errors import NotOurs, Unfinished
from cases.watchlists.targets.plan import Room
from footprint.azure.errors import Rejected, Unavailable
from tests.cases.watchlists.targets.places import ALIAS, MARK, entries, entry, open_at, push, values_there
from tests.lab.faults import Kind
from tests.lab.sentinel import Watchlist
from tests.lab.server import Lab

API_VERSIONS = ["2024-03-01", "2025-09-01"]


@pytest.mark.parametrize("version", API_VERSIONS)
def test_it_is_made_when_it_is_missing_with_all_entries_in_one_request(lab: Lab, version: str):
    client, _ = open_at(lab, "sentinel", api_version=version)
    push(client, entries("a.example", "b.example"))
    assert [method for method, _ in lab.requests if method != "GET"] == ["PUT"]
    made = lab.sentinel.watchlists[ALIAS].properties
    assert (made["provider"], made["itemsSearchKey"]) == ("Footprint", "Value")
    assert {row["ManagedBy"] for row in lab.sentinel.rows(ALIAS)} == {MARK}


def test_a_row_says_who_decided_what_and_until_when(lab: Lab):
    client, _ = open_at(lab, "sentinel")
    push(client, [entry("a.example", 12, reason='first\r\nsecond, "third"')])
    assert lab.sentinel.rows(ALIAS) == [
        {
            "Value": "a.example",
            "Kind": "name",
            "Verdict": "blocked",
            "Reason": 'first second, "third"',
            "Case": "7",
            "DecidedBy": "Rui Alves",
            "DecidedAt": "2026-11-20T12:00:00Z",
            "Expires": "",
            "Decision": "12",
            "ManagedBy": MARK,
        }
    ]


def test_an_empty_list_makes_nothing(lab: Lab):
    client, _ = open_at(lab, "sentinel")
    push(client, [])
    assert lab.sentinel.watchlists == {}


def test_what_does_not_fit_into_the_first_upload_follows_item_by_item(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sentinel, "MOST_BYTES_AT_ONCE", 500)
    client, _ = open_at(lab, "sentinel")
    wanted = entries(*(f"n{number}.example" for number in range(10)))
    push(client, wanted)
    assert len(values_there(lab, "sentinel")) == 10
    assert [path.rpartition("/")[0][-14:] for method, path in lab.requests if method == "PUT"][1:] == [
        "watchlistItems"
    ] * 7
    assert push(client, wanted)[0].is_empty


def test_an_upload_that_is_not_done_soon_is_looked_at_later(lab: Lab):
    lab.sentinel.polls = 1_000
    client, _ = open_at(lab, "sentinel")
    with pytest.raises(Unfinished):
        push(client, entries("a.example"))
    with pytest.raises(Unfinished):
        client.read({})
    lab.sentinel.watchlists[ALIAS].finish()
    assert push(client, entries("a.example"))[0].is_empty


def test_a_watchlist_of_somebody_else_is_not_touched(lab: Lab):
    lab.sentinel.watchlists[ALIAS] = Watchlist({"provider": "Contoso", "createdBy": {"name": "Sam"}})
    client, _ = open_at(lab, "sentinel")
    with pytest.raises(NotOurs, match="choose another alias") as caught:
        push(client, entries("a.example"))
    assert caught.value.said == "made by Sam"
    assert {method for method, _ in lab.requests} == {"GET"}


def test_an_alias_that_is_refused_is_told_in_the_services_words(lab: Lab):
    lab.sentinel.refused_aliases.add(ALIAS)
    client, _ = open_at(lab, "sentinel")
    with pytest.raises(Rejected) as caught:
        push(client, entries("a.example"))
    assert "is not valid" in caught.value.said


def test_an_item_that_is_refused_is_told_and_the_others_go_on(lab: Lab):
    client, _ = open_at(lab, "sentinel")
    push(client, entries("a.example"))
    lab.sentinel.refused_values.add("b.example")
    _, outcomes = push(client, entries("a.example", "b.example", "c.example"))
    assert [(outcome.key, outcome.is_done) for outcome in outcomes] == [
        ("name c.example", True),
        ("name b.example", False),
    ]
    assert "not valid" in outcomes[1].words


@pytest.mark.parametrize("column", ["Verdict", "Value", "ManagedBy"])
def test_an_item_edited_by_hand_is_mended_in_its_place(lab: Lab, column: str):
    client, _ = open_at(lab, "sentinel")
    push(client, entries("a.example"))
    push(client, entries("a.example", "b.example"))
    items = lab.sentinel.watchlists[ALIAS].items
    edited = next(name for name, item in items.items() if item.content["Value"] == "b.example")
    items[edited].content[column] = "edited"
    known = {edited: "name b.example"}
    there = client.read(known)
    assert [item.id for item in there.items if item.is_ours and item.id == edited] == [edited]
    push(client, entries("a.example", "b.example"))
    assert values_there(lab, "sentinel") == ["a.example", "b.example"]


def test_a_row_that_was_made_with_the_list_is_known_by_its_id(lab: Lab):
    client, _ = open_at(lab, "sentinel")
    push(client, entries("a.example"))
    (name, item), *_ = lab.sentinel.watchlists[ALIAS].items.items()
    item.content["ManagedBy"] = item.content["Value"] = "edited"
    assert [each.is_ours for each in client.read({}).items] == [False]
    assert [each.key for each in client.read({name: "name a.example"}).items] == ["name a.example"]


def test_changes_stay_within_the_months_budget(lab: Lab):
    client, _ = open_at(lab, "sentinel")
    push(client, entries("a.example", "b.example", "c.example"), Room(changes=2))
    assert lab.sentinel.changes == 2


def test_all_is_removed_with_the_watchlist_when_nobody_else_uses_it(lab: Lab):
    client, _ = open_at(lab, "sentinel")
    push(client, entries("a.example"))
    for step in client.remove_all(client.read({})):
        step.send()
    assert lab.sentinel.watchlists == {}


def test_a_watchlist_with_rows_of_others_stays(lab: Lab):
    client, _ = open_at(lab, "sentinel")
    push(client, entries("a.example"))
    lab.sentinel.add_by_hand(ALIAS, Value="theirs.example")
    for step in client.remove_all(client.read({})):
        step.send()
    assert values_there(lab, "sentinel") == ["theirs.example"]


def test_a_deletion_that_is_not_done_soon_is_looked_at_later(lab: Lab):
    client, _ = open_at(lab, "sentinel")
    push(client, entries("a.example"))
    lab.sentinel.polls = 1_000
    (step,) = client.remove_all(client.read({}))
    with pytest.raises(Unfinished):
        step.send()
    with pytest.raises(Unfinished):
        client.read({})


def test_what_is_missing_needs_no_removal(lab: Lab):
    client, _ = open_at(lab, "sentinel")
    assert list(client.remove_all(There([], exists=False))) == []


def test_a_page_elsewhere_is_not_followed(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    client, _ = open_at(lab, "sentinel")
    push(client, entries(*(f"n{number}.example" for number in range(3))))
    lab.sentinel.page_size = 2
    monkeypatch.setattr(Lab, "url", property(lambda self: "http://127.0.0.1:1"))
    with pytest.raises(Unavailable, match="sends us elsewhere"):
        client.read({})


@pytest.mark.parametrize("fault", [Kind.RESET, Kind.UNAVAILABLE])
def test_an_upload_whose_answer_was_lost_makes_nothing_twice(lab: Lab, fault: Kind):
    client, _ = open_at(lab, "sentinel")
    lab.fault(Kind.FINE)
    lab.fault(fault)
    with pytest.raises(Unavailable):
        push(client, entries("a.example", "b.example"))
    if lab.sentinel.watchlists:
        lab.sentinel.watchlists[ALIAS].finish()
    push(client, entries("a.example", "b.example"))
    assert values_there(lab, "sentinel") == ["a.example", "b.example"]
