from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.known.reading import Entry, Unread, read_entry


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("contoso.com", Entry("contoso.com", False, None)),
        ("Contoso.COM.", Entry("contoso.com", False, None)),
        (".contoso.com", Entry("contoso.com", True, None)),
        ("*.contoso.com", Entry("contoso.com", True, None)),
        ("https://contoso.com/path", Entry("contoso.com", False, None)),
        ("contoso.com:443", Entry("contoso.com", False, None)),
        ("bücher.example", Entry("xn--bcher-kva.example", False, None)),
        ("AAA", Entry("aaa", False, None)),
        ("203.0.113.9", Entry("", False, "203.0.113.9/32")),
        ("203.0.113.9/24", Entry("", False, "203.0.113.0/24")),
        ("FE80::/10", Entry("", False, "fe80::/10")),
        ("2001:DB8::1", Entry("", False, "2001:db8::1/128")),
        ("[2001:db8::1]", Entry("", False, "2001:db8::1/128")),
        ("::ffff:9270:3d68", Entry("", False, "146.112.61.104/32")),
        ("::ffff:203.0.113.0/120", Entry("", False, "203.0.113.0/24")),
        ("http://203.0.113.9/x", Entry("", False, "203.0.113.9/32")),
    ],
)
def test_a_line_is_a_name_or_a_network(line: str, entry: Entry):
    assert read_entry(line, names_with_below=False) == entry


def test_a_list_may_mean_every_name_with_all_below():
    assert read_entry("contoso.com", names_with_below=True).below
    assert not read_entry("203.0.113.9", names_with_below=True).below


@pytest.mark.parametrize(
    "line",
    [
        *("", "   ", "*", "*.", ".", "two words", "a..b", "-", "0.0.0.0/0", "::/0", "1.2.3.4/33", "1.2.3"),
        *("a" * 64 + ".example", "a." * 130 + "example", "0x7f.1", "/^regex$/", "two@contoso.com words"),
        *(
            "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b.",
            "\0contoso.com",
            "a\tb.example",
        ),
    ],
)
def test_what_is_neither_is_refused_with_its_text(line: str):
    with pytest.raises(Unread, match=r"no |every"):
        read_entry(line, names_with_below=False)


@given(st.text(max_size=300))
def test_whatever_stands_in_a_file_is_read_or_refused(line: str):
    try:
        entry = read_entry(line, names_with_below=False)
    except Unread:
        return
    assert bool(entry.name) != (entry.network is not None)
    assert not set(entry.name) & set("\t\n\r\\\0")
