from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.verdicts.ranges import NEVER_PUBLISHED, ranges_of
from cases.verdicts.subject import Subject, SubjectKind, read_subject


@pytest.mark.parametrize(
    ("typed", "texts"),
    [
        ("10.1.2.3", ["10.0.0.0/8"]),
        ("11.0.0.1", []),
        ("100.64.0.0/16", ["100.64.0.0/10"]),
        ("168.63.129.16", ["168.63.129.16/32"]),
        ("168.0.0.0/8", ["168.63.129.16/32"]),
        ("fd00::1", ["fc00::/7"]),
        ("2001:db8::1", ["2001:db8::/32"]),
        ("printer.local", ["local"]),
        ("local", ["local"]),
        ("notlocal", []),
        ("contoso.com", []),
    ],
)
def test_what_a_subject_shares_with_special_ranges(typed: str, texts: list[str]):
    assert [each.text for each in ranges_of(read_subject(typed))] == texts


def test_text_that_nobody_can_read_is_in_no_range():
    assert ranges_of(Subject(SubjectKind.TEXT, "10.1.2.3"), own_networks=["10.0.0.0/8"]) == []


@pytest.mark.parametrize("typed", ["contoso.com", "vpn.contoso.com", "*.contoso.com", "*.vpn.contoso.com"])
def test_our_own_names_are_ours_with_everything_below(typed: str):
    (own,) = ranges_of(read_subject(typed), own_names=["contoso.com"])
    assert own.is_own


def test_a_star_above_our_own_name_takes_it_along():
    (own,) = ranges_of(read_subject("*.contoso.com"), own_names=["vpn.contoso.com"])
    assert own.is_own


@given(st.ip_addresses())
def test_what_no_watchlist_carries_is_said_to_be_so(address: object):
    text = str(address)
    found = ranges_of(Subject(SubjectKind.ADDRESS, text))
    held_back = any(
        ip_network(each).version == ip_address(text).version and ip_address(text) in ip_network(each)
        for each in NEVER_PUBLISHED
    )
    assert held_back == any(not each.is_published for each in found)
