from __future__ import annotations

import re
from ipaddress import ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cases.observed import Observed, is_storable, observe, read_address, visible, was_cut

ANYTHING = st.text(st.characters(codec=None), max_size=400)
# Text that looks like what sources write, so that more than noise is tried.
PARTS = st.sampled_from(
    [
        *(
            "http://",
            "https://",
            "//",
            "@",
            ":",
            ":443",
            "[",
            "]",
            "/",
            "?",
            "#",
            "\\",
            ".",
            "..",
            "%",
            "%eth0",
        ),
        *(
            "::",
            "1.2.3.4",
            "fe80::1",
            "::ffff:9.9.9.9",
            "a",
            "EXAMPLE",
            "com",
            "xn--",
            "ß",
            "。",
            "-",
            "_",
            "null",
        ),
        *("\0", "\ud800", " ", "0x7f", "💥"),
    ]
)
LOOKALIKES = st.lists(PARTS, max_size=8).map("".join)
RAW = ANYTHING | LOOKALIKES


@pytest.mark.parametrize(
    ("raw", "ip"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("::FFFF:1.2.3.4", "1.2.3.4"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("FE80:0:0:0:797C:AF4C:4407:B0CC", "fe80::797c:af4c:4407:b0cc"),
        ("fe80::1%eth0", "fe80::1"),
        ("fe80::1%12", "fe80::1"),
        (" 1.2.3.4 ", "1.2.3.4"),
        ("1.2.3.4:443", "1.2.3.4"),
        ("[2001:db8::1]:443", "2001:db8::1"),
    ],
)
def test_an_address_is_kept_in_one_spelling(raw: str, ip: str):
    assert observe(raw, "") == Observed(ip, "", None, ip, "address")


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("login.contoso.com", "login.contoso.com"),
        ("LOGIN.Contoso.COM", "login.contoso.com"),
        ("login.contoso.com.", "login.contoso.com"),
        ("login.contoso.com:443", "login.contoso.com"),
        ("https://login.contoso.com/a/b?c=d#e", "login.contoso.com"),
        ("http://user:secret@login.contoso.com:8080/", "login.contoso.com"),
        ("HTTPS://login.contoso.com", "login.contoso.com"),
        ("login.contoso.com/path", "login.contoso.com"),
        ("//login.contoso.com/path", "login.contoso.com"),
        ("http://login.contoso.com\\@good.example/", "login.contoso.com"),
        ("_ldap._tcp.dc._msdcs.contoso.local", "_ldap._tcp.dc._msdcs.contoso.local"),
        ("lis-w-0114", "lis-w-0114"),
        ("4.3.2.1.in-addr.arpa.", "4.3.2.1.in-addr.arpa"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("\u212a.example", "k.example"),
        ("contoso\u3002example", "contoso.example"),
        ("i❤.ws", "xn--i-7iq.ws"),
    ],
)
def test_a_name_is_the_host_in_lower_case_ascii(raw: str, name: str):
    assert observe("", raw) == Observed(None, name, None, name, "name")


@pytest.mark.parametrize("raw_ip", ["", "-", "null", "NULL", '""', "  "])
@pytest.mark.parametrize("raw_dns", ["", "-", "null", '""', "\t"])
def test_nothing_on_both_sides_is_empty(raw_ip: str, raw_dns: str):
    assert observe(raw_ip, raw_dns).is_empty


def test_the_pair_is_kept():
    assert observe("1.2.3.4", "a.example") == Observed("1.2.3.4", "a.example", None, "a.example", "name")


@pytest.mark.parametrize(
    "raw", ["9.9.9.9", "http://9.9.9.9/x", "9.9.9.9:80", "::ffff:9.9.9.9", "９.９.９.９"]
)
def test_an_address_in_the_name_becomes_the_ip_when_there_is_none(raw: str):
    assert observe("", raw) == Observed("9.9.9.9", "", None, "9.9.9.9", "address")


@pytest.mark.parametrize("raw_ip", ["9.9.9.9", "::ffff:9.9.9.9"])
def test_an_address_in_the_name_equal_to_the_ip_says_nothing_more(raw_ip: str):
    assert observe(raw_ip, "http://9.9.9.9/") == Observed("9.9.9.9", "", None, "9.9.9.9", "address")


def test_an_address_in_the_name_that_differs_governs_as_the_name():
    assert observe("1.1.1.1", "9.9.9.9") == Observed("1.1.1.1", "9.9.9.9", "9.9.9.9", "9.9.9.9", "address")


@pytest.mark.parametrize(
    "raw", ["[fe80::1%25eth0]:443", "https://[fe80::1]/", "fe80::1", "fe80:0:0:0:0:0:0:1"]
)
def test_an_ipv6_address_in_the_name_is_read_with_and_without_brackets(raw: str):
    assert observe("", raw).ip == "fe80::1"


@pytest.mark.parametrize(
    "raw",
    [
        *("two words", "a..b", ".", "http:///path", "exa*mple.com", "a" * 64 + ".com", "127.1", "2130706433"),
        *("0x7f000001", "010.0.0.1", "host:port", "a\u202eb.example", "=cmd|' /C calc'!A0", "[1.2.3.4"),
        "a.com:443:443",
    ],
)
def test_what_is_no_name_is_kept_as_text(raw: str):
    assert observe("", raw) == Observed(None, raw, None, raw, "text")


def test_what_is_no_address_is_kept_as_text_when_there_is_no_name():
    assert observe("not an address", "") == Observed(None, "not an address", None, "not an address", "text")


def test_an_address_beside_unreadable_text_is_kept_with_it():
    assert observe("1.2.3.4", "two words") == Observed("1.2.3.4", "two words", None, "two words", "text")


def test_a_nul_is_shown():
    assert observe("", "a\0b").dns == "a\u2400b"


def test_a_lone_surrogate_is_spelled_out():
    assert observe("", "a\ud800b").dns == "a\\ud800b"


def test_a_long_text_is_cut_and_its_hash_tells_it_from_others():
    one, other = observe("", "x " * 200 + "1").dns, observe("", "x " * 200 + "2").dns
    assert one != other
    assert one[:255] == ("x " * 200)[:255]
    assert was_cut(one)
    assert re.search(r"sha256:[0-9a-f]{32}\Z", one)


def test_a_text_of_255_characters_is_kept_whole():
    raw = "x " * 127 + "x"
    assert observe("", raw).dns == raw
    assert not was_cut(raw)


@given(RAW, RAW)
@example("\0", "\ud800")
@example("%", "[")
def test_observing_is_total_and_what_it_says_can_be_stored(raw_ip: str, raw_dns: str):
    seen = observe(raw_ip, raw_dns)
    for text in (seen.ip or "", seen.dns, seen.value):
        assert is_storable(text)
        assert len(text) <= 255 + 48
    assert seen.value == (seen.dns or seen.ip or "")
    assert (seen.dns_ip is None) or (seen.dns_ip == seen.dns != seen.ip)


@given(RAW | st.from_regex(r"[0-9.]{7,15}", fullmatch=True) | st.ip_addresses().map(str))
def test_an_address_is_read_as_the_standard_library_reads_it(raw: str):
    try:
        address = ip_address(raw)
    except ValueError:
        assert read_address(raw) is None or "%" in raw
    else:
        mapped = address.ipv4_mapped if address.version == 6 else None
        assert read_address(raw) == str(mapped or address).partition("%")[0]


@given(RAW)
@example("-.")
@example("null:443")
def test_a_name_or_address_reads_as_itself(raw: str):
    seen = observe("", raw)
    if seen.kind != "text":
        again = observe("", seen.value)
        assert (again.value, again.kind, again.is_empty) == (seen.value, seen.kind, seen.is_empty)


@given(RAW)
def test_a_text_never_reads_as_a_name_or_address_of_the_same_spelling(raw: str):
    """So the exact subjects of names, addresses and texts never mean two things by one spelling."""
    seen = observe("", raw)
    if seen.kind == "text":
        again = observe("", seen.value)
        assert again.kind == "text" or again.value != seen.value


@given(st.text(max_size=600), st.integers(1, 50))
def test_visible_text_is_short_and_the_same_again(text: str, longest: int):
    shown = visible(text, longest)
    assert len(shown) <= longest + 48
    assert len(text) > longest or "\0" in text or shown == text
