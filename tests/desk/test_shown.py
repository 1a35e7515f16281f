from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.texts import first_hidden
from footprint.desk.shown import defanged, middle_cut, shown_value, visible


@given(st.text())
def test_nothing_hidden_is_left(text: str) -> None:
    assert not first_hidden(visible(text))
    assert not {"\n", "\t"} & {*visible(text)}


@given(
    st.text(
        st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="\u115f\u1160\u3164\uffa0")
    )
)
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("evil\u202egnp.exe", "evil\\u202egnp.exe"),
        ("a\u200bb", "a\\u200bb"),
        ("a\x00b\nc", "a\\u0000b\\u000ac"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_hidden_characters_become_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("value", "before", "domain"),
    [
        ("cdn.contoso-update.example", "cdn.", "contoso-update.example"),
        ("a.b.contoso.co.uk", "a.b.", "contoso.co.uk"),
        ("contoso.example", "", "contoso.example"),
        ("203.0.113.24", "", "203.0.113.24"),
        ("2001:db8::1", "", "2001:db8::1"),
        ("localhost", "", "localhost"),
        ("4.3.2.1.in-addr.arpa", "", "4.3.2.1.in-addr.arpa"),
        ("http://[::bad/", "", "http://[::bad/"),
    ],
)
def test_only_what_stands_before_the_registered_domain_may_be_cut(
    value: str, before: str, domain: str
) -> None:
    shown = shown_value(value)
    assert (shown.before, shown.domain) == (before, domain)


@given(st.text(min_size=1))
def test_no_part_of_a_value_is_lost(value: str) -> None:
    shown = shown_value(value)
    assert shown.before + shown.domain == shown.full


def test_a_defanged_value_is_no_link() -> None:
    assert defanged("http://a.example:8080/x") == "http[:]//a[.]example[:]8080/x"


def test_a_hash_loses_its_middle() -> None:
    assert middle_cut("7c4a8d09ca3762af61e59520943dc26494f8e91d") == "7c4a8d09…e91d"
    assert middle_cut("short") == "short"
