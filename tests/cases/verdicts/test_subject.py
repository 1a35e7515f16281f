from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.verdicts.subject import Subject, SubjectKind, SubjectRefused, read_subject, shown_form

NAME, BELOW, ADDRESS, NETWORK = (
    SubjectKind.NAME,
    SubjectKind.BELOW,
    SubjectKind.ADDRESS,
    SubjectKind.NETWORK,
)


@pytest.mark.parametrize(
    ("typed", "kind", "text"),
    [
        ("Login.Contoso.com.", NAME, "login.contoso.com"),
        ("  contoso.com\n", NAME, "contoso.com"),
        ("https://user:pw@Login.contoso.com:8443/a?b=c#d", NAME, "login.contoso.com"),
        ("hxxp://evil[.]com/path", NAME, "evil.com"),
        ("hxxps[:]//evil(.)example[dot]com", NAME, "evil.example.com"),
        ("meow://evil[.com", NAME, "evil.com"),
        ("Bücher.example", NAME, "xn--bcher-kva.example"),
        ("lis-w-0114", NAME, "lis-w-0114"),
        ("contoso.com/12", NAME, "contoso.com"),
        ("*.Contoso.com", BELOW, "contoso.com"),
        ("*.evil[.]example[.]com", BELOW, "evil.example.com"),
        ("https://*.contoso.com/", BELOW, "contoso.com"),
        ("*.corp.local", BELOW, "corp.local"),
        ("*.tenant.github.io", BELOW, "tenant.github.io"),
        ("*.bücher.com", BELOW, "xn--bcher-kva.com"),
        ("203.0.113.7", ADDRESS, "203.0.113.7"),
        ("203[.]0[.]113[.]7", ADDRESS, "203.0.113.7"),
        ("203.0.113.7:443", ADDRESS, "203.0.113.7"),
        ("http://203.0.113.7/x", ADDRESS, "203.0.113.7"),
        ("203.0.113.7/32", ADDRESS, "203.0.113.7"),
        ("::ffff:203.0.113.7", ADDRESS, "203.0.113.7"),
        ("[2001:DB8::1]:443", ADDRESS, "2001:db8::1"),
        ("fe80::1%eth0", ADDRESS, "fe80::1"),
        ("2001:db8::1/128", ADDRESS, "2001:db8::1"),
        ("203.0.113.0/24", NETWORK, "203.0.113.0/24"),
        ("203.0.113.77/24", NETWORK, "203.0.113.0/24"),
        ("203[.]0[.]113[.]0/24", NETWORK, "203.0.113.0/24"),
        ("10.0.0.0/8", NETWORK, "10.0.0.0/8"),
        ("2001:db8::/32", NETWORK, "2001:db8::/32"),
        ("2001:c000::/19", NETWORK, "2001:c000::/19"),
        ("::ffff:203.0.113.0/120", NETWORK, "203.0.113.0/24"),
    ],
)
def test_what_a_person_types_is_read(typed: str, kind: SubjectKind, text: str):
    assert read_subject(typed) == Subject(kind, text)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Type a name"),
        ("  ", "Type a name"),
        ("-", "is no name"),
        ("two words", "is no name, address or network"),
        ("a..b", "is no name"),
        ("127.1", "is no name"),
        ("*", "would cover everything"),
        ("*.", "would cover everything"),
        ("*.com", "public suffix com"),
        ("*.co.uk", "public suffix co.uk"),
        ("*.github.io", "public suffix github.io"),
        ("*.local", "public suffix local"),
        ("*.in-addr.arpa", "too wide"),
        ("*contoso.com", "before a dot"),
        ("a.*.contoso.com", "before a dot"),
        ("*.*.contoso.com", "before a dot"),
        ("*.203.0.113.7", "does not go with an address"),
        ("203.0.113.*", "before a dot"),
        ("*.two words", "is no name"),
        (".contoso.com", "Write *.contoso.com"),
        ("0.0.0.0/0", "begins at /8"),
        ("10.0.0.0/7", "begins at /8"),
        ("::/0", "begins at /19"),
        ("2001::/18", "begins at /19"),
        ("::ffff:0:0/96", "begins at /8"),
        ("203.0.113.0/33", "too great"),
        ("2001:db8::/129", "too great"),
    ],
)
def test_what_cannot_be_a_subject_is_refused_in_a_sentence(typed: str, said: str):
    with pytest.raises(SubjectRefused, match=r"\.\Z") as refused:
        read_subject(typed)
    assert said in str(refused.value)


@given(st.text())
def test_whatever_is_typed_is_read_or_refused(typed: str):
    try:
        subject = read_subject(typed)
    except SubjectRefused:
        return
    assert read_subject(subject.typed) == subject


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        ("*.contoso.com", "contoso.com", True),
        ("*.contoso.com", "login.contoso.com", True),
        ("*.contoso.com", "*.login.contoso.com", True),
        ("*.contoso.com", "notcontoso.com", False),
        ("*.login.contoso.com", "contoso.com", False),
        ("contoso.com", "login.contoso.com", False),
        ("203.0.113.0/24", "203.0.113.255", True),
        ("203.0.113.0/24", "203.0.114.0", False),
        ("203.0.113.0/24", "203.0.113.128/25", True),
        ("203.0.113.128/25", "203.0.113.0/24", False),
        ("203.0.113.0/24", "2001:db8::1", False),
        ("203.0.113.0/24", "2001:db8::/32", False),
        ("2001:db8::/32", "2001:db8::1", True),
        ("2001:db8::/32", "203.0.113.0/24", False),
    ],
)
def test_a_wide_subject_covers_what_lies_in_it(wide: str, narrow: str, covers: bool):
    assert read_subject(wide).covers(read_subject(narrow)) is covers


@pytest.mark.parametrize(
    "narrow_to_wide",
    [
        ("a.login.contoso.com", "*.a.login.contoso.com", "*.login.contoso.com", "*.contoso.com"),
        ("10.1.2.3", "10.1.2.0/24", "10.1.0.0/16", "10.0.0.0/8"),
        ("2001:db8::1", "2001:db8::/64", "2001:db8::/32"),
    ],
)
def test_the_narrower_is_the_more_specific(narrow_to_wide: tuple[str, ...]):
    ranks = [read_subject(typed).specificity for typed in narrow_to_wide]
    assert ranks == sorted(set(ranks), reverse=True)


def test_a_wide_subject_says_what_it_covers():
    assert read_subject("*.contoso.com").in_words() == "contoso.com and everything below it"
    assert read_subject("203.0.113.0/24").in_words() == (
        "the 256 addresses from 203.0.113.0 to 203.0.113.255"
    )


def test_both_forms_of_an_idn_are_there():
    subject = read_subject("раураl.com")
    assert (subject.text, shown_form(subject.text)) == ("xn--l-7sba6dbr.com", "раураl.com")
    assert shown_form("contoso.com") == ""


@given(st.integers(8, 31), st.integers(0, 2**32 - 1))
def test_a_network_reads_back_as_itself(prefix: int, number: int):
    network = ip_network((number, prefix), strict=False)
    assert read_subject(str(network)) == Subject(NETWORK, str(network))
