from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cases.lists import READERS, ListError, ListReader, Readable, choose, decoded, read_list
from cases.observed import visible

OWN_HEADER = "Value,Kind,Verdict,Reason,Case,DecidedBy,DecidedAt,Expires,Decision"
SLUGS = [reader.slug for reader in READERS]


def read(text: str, slug: str = "") -> list[str]:
    """The subjects, as people type them; of what is none, what it is."""
    return [
        line.subject.typed if line.subject else str(line.readable)
        for line in read_list(text, choose(text, slug))
        if line.readable is not Readable.ASIDE
    ]


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("a.example\nb.example\n", "plain-text"),
        ("# a, b, c\n203.0.113.7\n", "plain-text"),
        ("ip,comment\n203.0.113.7,x\n", "csv"),
        ("IP Address;Why\n203.0.113.7;x\n", "csv"),
        ("203.0.113.7,scanner\n203.0.113.8,scanner\n", "csv"),
        (f"{OWN_HEADER}\r\na.example,name,blocked,x,1,Rui,,,1\r\n", "csv"),
        ("SearchKey,Notes\na.example,x\n", "sentinel-csv"),
        ("TimeGenerated [UTC],_DTItemId,WatchlistItem\n", "sentinel-csv"),
        ('{"type": "string", "list": []}', "misp-warninglist"),
        ("", "plain-text"),
    ],
)
def test_the_reader_is_chosen_by_what_the_text_looks_like(text: str, slug: str) -> None:
    assert choose(text).slug == slug


def test_a_person_may_choose_otherwise() -> None:
    assert read("a.example,b.example\n", "plain-text") == ["a.example", "b.example"]
    with pytest.raises(ListError, match="no kind of list"):
        choose("", "excel")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a.example", ["a.example"]),
        ("  *.a.example  ", ["*.a.example"]),
        ("hxxps://evil[.]example/path?q#f", ["evil.example"]),
        ("203.0.113.77/24 # the hoster", ["203.0.113.0/24"]),
        ("a.example // why not", ["a.example"]),
        ("# only words", []),
        ("; only words", []),
        ("", []),
        ("0.0.0.0 a.example b.example", ["a.example", "b.example"]),
        ("a.example, b.example; 203.0.113.7", ["a.example", "b.example", "203.0.113.7"]),
        ("this line is prose", ["unreadable"]),
        ("wpad", ["wpad"]),
        ("*.com", ["too wide"]),
        ("0.0.0.0/0", ["too wide"]),
        ("300.1.2.3", ["unreadable"]),
        ("\0", ["unreadable"]),
        ("\ud800", ["unreadable"]),
    ],
)
def test_a_line_of_plain_text(line: str, expected: list[str]) -> None:
    assert read(line, "plain-text") == expected


def test_lines_keep_their_numbers_and_say_what_is_wrong() -> None:
    lines = list(read_list("a.example\r\n\r\n*.com\rbad bad\n", choose("", "plain-text")))
    assert [line.number for line in lines] == [1, 2, 3, 4]
    assert "too wide" in lines[2].why
    assert lines[3].why == "“bad bad” is no name, address or network."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ioc,type\na.example,domain\n203.0.113.7,ip\n", ["a.example", "203.0.113.7"]),
        ("Comment\tDomain\nx\ta.example\n", ["a.example"]),
        ("7;203.0.113.7;x\n8;203.0.113.8;y\n", ["203.0.113.7", "203.0.113.8"]),
        ("seen,who\n203.0.113.7,x\n203.0.113.8,y\n", ["203.0.113.7", "203.0.113.8"]),
        ('value,why\na.example,"one, two\nthree"\nb.example,x\n', ["a.example", "b.example"]),
        ('value,why\na.example,"does not close\nb.example,x\n', ["unreadable", "b.example"]),
        (
            'value,why\n"a,x\nb.example,x\nc","y\nd.example,x\n',
            ["unreadable", "b.example", "unreadable", "d.example"],
        ),
        ("value,why\n,x\n", ["unreadable"]),
        ("value\n\n\na.example\n", ["a.example"]),
        ("value,why\n'@bad.example,x\n", ["bad.example"]),
        ("value,kind\na.example,below\nb.example,name\nx y,text\n", ["*.a.example", "b.example", "x y"]),
        ("value,kind\na.example,address\n", ["unreadable"]),
        ("value,kind\na.example,text\nA.Example,text\n203.0.113.9,text\n", ["unreadable"] * 3),
        ("value,kind\n-,text\n203.0.113.0/24,text\n", ["unreadable"] * 2),
        (f"value,kind\n{'x y ' * 80},text\n", ["unreadable"]),
        (f"value,kind\n{visible('x y ' * 80)},text\n", [visible("x y " * 80)]),
    ],
)
def test_a_table(text: str, expected: list[str]) -> None:
    assert read(text, "csv") == expected


def test_a_table_says_its_own_verdict() -> None:
    lines = read_list("value,action\na.example,Block\nb.example,Allowed\nc.example,x\n", choose("", "csv"))
    assert [line.says for line in lines if line.subject] == ["blocked", "allowed", ""]


def test_a_table_without_subjects_is_refused_as_a_whole() -> None:
    with pytest.raises(ListError, match="No column"):
        read("first,second\none,two\n", "csv")


def test_a_cell_that_is_too_long_is_one_unreadable_line() -> None:
    assert read(f"value,why\na.example,{'x' * 200_000}\nb.example,x\n", "csv") == ["unreadable", "b.example"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SearchKey,Value,Kind\na.example,a.example,below\n", ["*.a.example"]),
        ("_DTItemStatus,SearchKey\nCreate,a.example\nDelete,b.example\n", ["a.example"]),
        ('WatchlistItem\n"{""Domain"":""a.example"",""Why"":""x""}"\n', ["a.example"]),
        ('WatchlistItem\n"{""Why"":""x""}"\nno json\n[1]\n', ["unreadable"] * 3),
    ],
)
def test_a_sentinel_watchlist(text: str, expected: list[str]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("matching", "entries", "expected"),
    [
        ("string", ["a.example", "203.0.113.7"], ["a.example", "203.0.113.7"]),
        ("hostname", ["a.example", ".b.example", "com"], ["*.a.example", "*.b.example", "too wide"]),
        (
            "cidr",
            ["203.0.113.0/24", "203.0.113.7/32", "0.0.0.0/0"],
            ["203.0.113.0/24", "203.0.113.7", "too wide"],
        ),
        ("substring", ["a.example"], ["unreadable"]),
        ("regex", ["/a/"], ["unreadable"]),
        ("string", [1, None, ["a.example"]], ["unreadable"] * 3),
    ],
)
def test_a_warninglist(matching: str, entries: list[object], expected: list[str]) -> None:
    assert read(json.dumps({"name": "x", "type": matching, "list": entries})) == expected


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"list": 1}', '{"type": "x", "list": []}', "[" * 100_000, '{"list": [1' + "0" * 5000],
)
def test_json_that_is_no_warninglist_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(ListError):
        read(text, "misp-warninglist")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xef\xbb\xbfa.example", "a.example"),
        ("a.example".encode("utf-16"), "a.example"),
        (b"caf\xe9.example", "caf\\xe9.example"),
    ],
)
def test_bytes_of_any_encoding(content: bytes, expected: str) -> None:
    assert decoded(content) == expected


@pytest.mark.parametrize("content", [b"PK\x03\x04xlsx", b"\x1f\x8bgz", b"%PDF-1", b"a\0b"])
def test_what_is_no_text_says_what_to_do(content: bytes) -> None:
    with pytest.raises(ListError):
        decoded(content)


@given(
    st.one_of(st.text(), st.text(alphabet="\",;\t\n\r a.b:1{}[]*/#'", max_size=80)), st.sampled_from(READERS)
)
@example('""', READERS[2])
def test_no_reader_raises_anything_else(text: str, reader: type[ListReader]) -> None:
    try:
        lines = list(read_list(text, reader))
    except ListError:
        return
    for line in lines:
        assert (line.subject is not None) == (line.readable is Readable.SUBJECT)
        assert bool(line.why) == (line.readable in {Readable.UNREADABLE, Readable.TOO_WIDE})


@given(st.binary())
def test_no_bytes_raise_anything_else(content: bytes) -> None:
    try:
        text = decoded(content)
        list(read_list(text, choose(text)))
    except ListError:
        return


@given(
    st.lists(st.sampled_from(["a.example", "203.0.113.0/24", "*.b.example", "2001:db8::7"]), min_size=1),
    st.lists(st.text(alphabet='"x y<>', min_size=1), max_size=5),
    st.randoms(),
)
def test_no_garbage_takes_a_good_line_with_it(good: list[str], garbage: list[str], random: object) -> None:
    lines = [*(f"{each},note" for each in good), *garbage]
    random.shuffle(lines)  # type: ignore[attr-defined]  # of random.Random, which the strategy does not name
    found = read("value,why\n" + "\n".join(lines), "csv")
    for each in good:
        assert found.count(each) >= good.count(each)
