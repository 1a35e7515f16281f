from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.folding import CAPS, FoldedEndpoint, RowToMerge, fold
from tests.cases.world import row

FILES = {("name", "a.exe"): 1}


def folded(*rows: RowToMerge) -> FoldedEndpoint:
    (endpoint,) = fold(rows, FILES).endpoints()
    return endpoint


def spellings(**changes: Any) -> tuple[RowToMerge, RowToMerge]:
    """Two raw rows of one day that fold to one endpoint."""
    return row(dns="A.example.", **changes), row(dns="a.example", **changes)


def test_events_of_rows_that_fold_together_are_summed():
    assert folded(*spellings(events=3)).days[0].events == 6


def test_active_hours_are_summed_up_to_a_whole_day():
    assert folded(*spellings(active_hours=9)).days[0].active_hours == 18
    assert folded(*spellings(active_hours=20)).days[0].active_hours == 24


def test_devices_are_a_union_when_every_name_is_known():
    rows = (
        row(dns="A.example", devices=2, device_names=["d1", "d2"]),
        row(dns="a.example", devices=2, device_names=["d2", "d3"]),
    )
    assert folded(*rows).days[0].devices == 3
    assert folded(*rows).more == []


@pytest.mark.parametrize(("largest", "devices"), [(40, 40), (26, 28)])
def test_devices_are_at_least_the_greater_when_a_set_was_cut(largest: int, devices: int):
    cut = [f"d{number:02}" for number in range(26)]
    rows = (
        row(dns="A.example", devices=largest, device_names=cut),
        row(dns="a.example", devices=3, device_names=["e1", "e2"]),
    )
    assert folded(*rows).days[0].devices == devices
    assert "devices" in folded(*rows).more


def test_a_renamed_device_is_one_device():
    assert folded(row(dns="a.example", devices=1, device_names=["old", "new"])).days[0].devices == 1


def test_devices_without_names_leave_the_set_incomplete():
    assert folded(row(dns="a.example", devices=2, device_names=[""])).more == ["devices"]


def test_a_set_over_its_cap_is_cut_and_named():
    endpoint = folded(row(dns="a.example", parents=[f"p{number}" for number in range(6)]))
    assert endpoint.sets["parents"].values == ("p0", "p1", "p2", "p3", "p4")
    assert endpoint.more == ["parents"]


def test_a_set_at_its_cap_is_whole():
    assert folded(row(dns="a.example", parents=[f"p{number}" for number in range(5)])).more == []


def test_raw_spellings_are_kept_as_samples():
    assert folded(row("::ffff:1.2.3.4", "A.example."), row("1.2.3.4", "a.example")).sets[
        "raw_names"
    ].values == (
        "A.example.",
        "a.example",
    )


def test_an_unreadable_address_beside_a_name_stays_among_the_samples():
    assert folded(row("no address", "a.example")).sets["raw_ips"].values == ("no address",)


def test_the_pair_is_never_flattened():
    rows = (
        row("1.1.1.1", "a.example"),
        row("2.2.2.2", "a.example"),
        row("1.1.1.1", ""),
        row("", "a.example"),
    )
    assert len(list(fold(rows, FILES).endpoints())) == 4


def test_rows_empty_on_both_sides_are_counted_and_make_nothing():
    result = fold([row("-", "null"), row("", "")], FILES)
    assert (result.rows, result.empty_rows, list(result.endpoints())) == (2, 2, [])


def test_rows_of_a_file_that_the_case_does_not_name_are_counted_and_make_nothing():
    result = fold([row("1.1.1.1", file="other.exe")], FILES)
    assert (result.rows, result.unasked_rows, list(result.endpoints())) == (1, 1, [])


def test_endpoints_come_in_the_order_of_their_keys():
    keys = [endpoint.key for endpoint in fold([row(f"1.1.1.{n}") for n in range(50)], FILES).endpoints()]
    assert keys == sorted(keys)


NAMES = st.lists(st.sampled_from([f"d{n}" for n in range(30)]), unique=True, max_size=26)
ROWS = st.lists(
    st.builds(
        lambda dns, names, extra, events, days: row(
            "1.1.1.1",
            dns,
            days_ago=days,
            device_names=names,
            devices=len(names) + extra,
            events=events,
            parents=names,
        ),
        st.sampled_from(["a.example", "A.example", "a.example."]),
        NAMES,
        st.integers(0, 20),
        st.integers(0, 10**6),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=8,
)


@given(ROWS, st.randoms(use_true_random=False))
def test_folding_knows_no_order(rows: Sequence[RowToMerge], shuffler):
    other = list(rows)
    shuffler.shuffle(other)
    assert folded(*rows) == folded(*other)


@given(ROWS)
def test_folded_sets_are_sorted_and_within_their_caps(rows: Sequence[RowToMerge]):
    for name, of_name in folded(*rows).sets.items():
        kept: list[Any] = list(of_name.values)
        assert kept == sorted(set(kept))
        assert len(kept) <= CAPS[name]
