"""What holds for every kind of target, against the lab."""

from __future__ import annotations

import pytest

from cases.watchlists.targets.errors import Unfinished
from footprint.azure.errors import NotSignedIn, Refused, ServiceError, Throttled, TimedOut, Unavailable
from tests.cases.watchlists.targets.places import KINDS, add_by_hand, entries, open_at, push, values_there
from tests.lab.faults import FOREVER, Kind
from tests.lab.server import Lab

pytestmark = pytest.mark.parametrize("kind", KINDS)


def test_what_is_listed_is_there_and_what_left_the_list_is_gone(lab: Lab, kind: str):
    client, _ = open_at(lab, kind)
    push(client, entries("a.example", "b.example"))
    push(client, entries("b.example", "c.example"))
    assert values_there(lab, kind) == ["b.example", "c.example"]


def test_pushed_twice_nothing_is_sent_the_second_time(lab: Lab, kind: str):
    client, _ = open_at(lab, kind)
    wanted = entries("a.example", "198.51.101.7", "2606:4700::1111")
    push(client, wanted)
    lab.requests.clear()
    plan, _ = push(client, wanted)
    assert plan.is_empty
    assert {method for method, _ in lab.requests} == {"GET"}


def test_others_entries_are_left_alone(lab: Lab, kind: str):
    client, _ = open_at(lab, kind)
    push(client, entries("a.example"))
    add_by_hand(lab, kind, "theirs.example")
    push(client, entries("b.example"))
    assert values_there(lab, kind) == ["b.example", "theirs.example"]


def test_two_targets_at_one_place_do_not_touch_each_other(lab: Lab, kind: str):
    push(open_at(lab, kind)[0], entries("a.example"))
    push(open_at(lab, kind, mark="footprint-11111111")[0], entries("b.example"))
    assert values_there(lab, kind) == ["a.example", "b.example"]


def test_all_pages_are_read(lab: Lab, kind: str):
    lab.sentinel.page_size = lab.defender.page_size = 3
    client, _ = open_at(lab, kind)
    wanted = entries(*(f"n{number}.example" for number in range(10)))
    push(client, wanted)
    assert push(client, wanted)[0].is_empty


def test_a_changed_reason_is_a_change_and_nothing_more(lab: Lab, kind: str):
    client, _ = open_at(lab, kind)
    push(client, entries("a.example"))
    changed = [each._replace(reason="Another one", decision=9) for each in entries("a.example")]
    plan, _ = push(client, changed)
    assert (len(plan.adds), len(plan.changes), len(plan.removals)) == (0, 1, 0)
    assert push(client, changed)[0].is_empty


def test_what_is_gone_already_counts_as_removed(lab: Lab, kind: str):
    client, _ = open_at(lab, kind)
    push(client, entries("a.example", "b.example", "c.example"))
    there = client.read({})
    if kind == "defender":
        del lab.defender.indicators[there.items[0].id]
    else:
        del lab.sentinel.watchlists["all-blocks"].items[there.items[0].id]
    for step in client.remove_all(there):
        step.send()
    assert values_there(lab, kind) == []


def test_a_token_that_ran_out_is_asked_for_anew_once(lab: Lab, kind: str):
    client, _ = open_at(lab, kind)
    lab.fault(Kind.EXPIRED)
    client.read({})
    lab.fault(Kind.EXPIRED, times=2)
    with pytest.raises(NotSignedIn):
        client.read({})


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Kind.THROTTLED, Throttled),
        (Kind.UNAVAILABLE, Unavailable),
        (Kind.GATEWAY_TIMEOUT, TimedOut),
        (Kind.FORBIDDEN, Refused),
        (Kind.RESET, Unavailable),
        (Kind.WRONG_JSON, Unavailable),
        (Kind.NOT_JSON, Unavailable),
        (Kind.EMPTY, Unavailable),
        (Kind.REDIRECT, Unavailable),
    ],
)
def test_each_failure_has_its_class(lab: Lab, kind: str, fault: Kind, error: type[ServiceError]):
    client, _ = open_at(lab, kind)
    lab.fault(fault, times=FOREVER)
    with pytest.raises(error) as caught:
        client.read({})
    assert type(caught.value) is error


def test_an_answer_that_drips_is_cut_at_the_deadline(lab: Lab, kind: str):
    client, caller = open_at(lab, kind)
    caller._seconds = 0.3
    lab.fault(Kind.DRIP)
    with pytest.raises((Unavailable, TimedOut)):
        client.read({})


def test_a_pause_is_as_long_as_the_service_says(lab: Lab, kind: str):
    client, _ = open_at(lab, kind)
    lab.fault(Kind.THROTTLED, value="75")
    with pytest.raises(Throttled) as caught:
        client.read({})
    assert caught.value.retry_after == 75
    assert not isinstance(caught.value, Unfinished)


def test_nothing_is_asked_once_it_is_told_to_stop(lab: Lab, kind: str):
    client, caller = open_at(lab, kind)

    def stop() -> None:
        raise InterruptedError

    caller.before = stop
    with pytest.raises(InterruptedError):
        client.read({})
    assert lab.requests == []
