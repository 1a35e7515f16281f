"""What a decision of the other verdict, or a range of our own, does to an entry."""

from __future__ import annotations

import pytest
from django.db import transaction

from cases.models import Case
from cases.watchlists.computing import Rule, compute, wanted
from cases.watchlists.models import Watchlist
from footprint.accounts.models import Person
from tests.cases.watchlists.lists import decide_wide, publish, see, values_of
from tests.cases.world import decide_on, merge_and_settle, row


def test_a_block_stays_although_a_case_allows_it_and_is_told(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example")
    decide_on(rui, case, "a.example", "blocked", "everywhere")
    decide_on(rui, case, "a.example", "allowed", "case")
    assert values_of(publish(blocks)) == ["a.example"]
    (conflict,) = blocks.conflicts.all()
    assert (conflict.value, conflict.left_out) == ("a.example", False)


def test_an_allow_that_a_case_blocks_is_left_out(case: Case, rui: Person, allows: Watchlist):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example", "allowed", "everywhere")
    decide_on(rui, case, "b.example", "allowed", "everywhere")
    decide_on(rui, case, "a.example", "blocked", "case")
    assert values_of(publish(allows)) == ["b.example"]
    (conflict,) = allows.conflicts.all()
    assert (conflict.value, conflict.left_out) == ("a.example", True)


def test_an_exception_within_a_wide_block_is_told_and_the_exception_itself_may_leave(
    case: Case, rui: Person, blocks: Watchlist, allows: Watchlist
):
    see(case, "ok.a.example")
    decide_wide(rui, case, "below", "a.example")
    decide_on(rui, case, "ok.a.example", "allowed", "everywhere")
    assert values_of(publish(blocks)) == ["a.example"]
    assert [(each.value, each.left_out) for each in blocks.conflicts.all()] == [("a.example", False)]
    assert values_of(publish(allows)) == ["ok.a.example"]


@pytest.mark.parametrize(
    ("network", "allowed", "leaves"),
    [
        ("203.0.113.0/24", "203.0.113.77", False),
        ("203.0.113.0/24", "203.0.114.1", True),
        ("2606:4700::/32", "2606:4700::1111", False),
    ],
)
def test_a_network_with_an_allow_inside_never_leaves(
    case: Case, rui: Person, blocks: Watchlist, network: str, allowed: str, leaves: bool
):
    see(case, allowed)
    decide_wide(rui, case, "network", network)
    decide_on(rui, case, allowed, "allowed", "everywhere")
    assert values_of(publish(blocks)) == ([network] if leaves else [])


@pytest.mark.parametrize("inside", ["10.1.2.3", "192.168.0.0/16", "169.254.1.1", "fe80::1", "168.63.129.16"])
def test_private_and_reserved_ranges_never_leave(case: Case, rui: Person, blocks: Watchlist, inside: str):
    if "/" in inside:
        decide_wide(rui, case, "network", inside)
    else:
        see(case, inside) if inside[0].isdigit() else merge_and_settle(case, row(inside))
        decide_on(rui, case, inside)
    assert values_of(publish(blocks)) == []
    (conflict,) = blocks.conflicts.all()
    assert (conflict.left_out, conflict.why) == (True, "a private or reserved range")


def test_a_name_may_widen_only_when_nothing_below_it_is_undecided(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example", "cdn.a.example", "b.example")
    decide_on(rui, case, "a.example")
    decide_on(rui, case, "b.example")
    with transaction.atomic():
        compute(Rule.of(blocks))
        found = {each.value: each.may_widen for each in wanted()}
    assert found == {"a.example": False, "b.example": True}
