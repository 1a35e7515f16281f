"""Paging through the queue: every order, both directions, whatever the filters leave."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.models import Case, CaseValue
from cases.ordering import ORDERS, NoSuchPlace, Place, place_text, read_order, read_place
from footprint.accounts.models import Person
from tests.cases.world import decide_on, merge_and_settle, row

KEYS = [key for name in ORDERS for key in (name, f"-{name}")]


@pytest.fixture
def values(case: Case, rui: Person) -> list[CaseValue]:
    """With many equals: the same days, devices and events, names of one domain, addresses, some decided."""
    merge_and_settle(
        case,
        *(
            row(
                dns=f"n{number}.d{number % 3}.example",
                days_ago=number % 4,
                events=number % 5,
                devices=number % 2,
            )
            for number in range(23)
        ),
        *(row(f"203.0.113.{number}") for number in range(6)),
    )
    for number in (0, 3, 4, 9, 11):
        value = f"n{number}.d{number % 3}.example"
        decide_on(rui, case, value, "allowed" if number % 2 else "blocked")
    return list(CaseValue.objects.filter(case=case))


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("way", ["page_of_many", "page_of_few"])
@pytest.mark.parametrize("size", [1, 4, 100])
def test_the_pages_hold_every_value_once_and_in_order(
    case: Case, values: list[CaseValue], key: str, way: str, size: int
) -> None:
    order = read_order(key)
    assert order is not None
    expected = sorted(values, key=order.key_of, reverse=order.is_descending)
    expected.sort(key=lambda value: not value.is_open)
    found: list[CaseValue] = []
    place: Place | None = None
    while page := getattr(CaseValue.objects.filter(case=case), way)(order, place, size):
        found += page
        place = read_place(place_text(page[-1], order), order)
    assert [value.value for value in found] == [value.value for value in expected]


@given(microseconds=st.integers(0, 2**51), pk=st.integers(1, 2**59), is_open=st.booleans())
def test_a_place_in_time_comes_back_as_it_was(microseconds: int, pk: int, is_open: bool) -> None:
    order = ORDERS["first-seen"]
    place = read_place(f"{int(is_open)}.{microseconds}.{pk}", order)
    moment, found = place.key
    assert isinstance(moment, datetime)
    value = CaseValue(id=found, is_open=place.is_open, first_seen=moment)
    assert place_text(value, order) == f"{int(is_open)}.{microseconds}.{pk}"
    assert moment.tzinfo is UTC


@given(st.text(max_size=40))
def test_a_made_up_place_is_refused_or_read(text: str) -> None:
    for order in ORDERS.values():
        try:
            place = read_place(text, order)
        except NoSuchPlace:
            continue
        assert len(place.key) == 2


def test_an_unknown_order_is_none() -> None:
    assert read_order("colour") is None
    assert read_order("--devices") is None
