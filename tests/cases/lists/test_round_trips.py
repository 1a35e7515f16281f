"""What watchlists are written as comes back as the same subjects."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.lists import choose, read_list
from cases.verdicts.subject import Subject, SubjectRefused, read_subject
from cases.watchlists.formats import REGISTRY, How, ListEntry, Published, Report

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
PUBLISHED = Published("all-blocks", "All blocks", "Everything", "blocked", 3, AT)
# Format, the reader that it is taken for, and the kinds it says exactly.
FORMATS = [
    ("plain-text", "plain-text", {"name", "address", "network"}),
    ("csv", "csv", {"name", "below", "address", "network"}),
    ("sentinel-csv", "csv", {"name", "below", "address", "network"}),
    ("misp-warninglist", "misp-warninglist", {"name", "address"}),
    ("misp-warninglist-names", "misp-warninglist", {"below"}),
    ("misp-warninglist-networks", "misp-warninglist", {"address", "network"}),
]

LABELS = st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,8}[a-z0-9_])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(lambda labels: ".".join([*labels, "example"]))
TYPED = st.one_of(
    NAMES,
    NAMES.map(lambda name: f"*.a.{name}"),
    st.ip_addresses().map(str),
    st.ip_addresses(v=4).map(lambda at: f"{at}/24"),
    st.ip_addresses(v=6).map(lambda at: f"{at}/48"),
)
REASONS = st.text(max_size=30)


def entry(typed: str, reason: str) -> ListEntry | None:
    try:
        subject = read_subject(typed)
    except SubjectRefused:
        return None
    return ListEntry(subject.kind.value, subject.text, "blocked", reason, 'Rui, "R"', AT, None, 1, 1)


@pytest.mark.parametrize(("format", "reader", "kinds"), FORMATS, ids=[each[0] for each in FORMATS])
@given(typed=st.lists(st.tuples(TYPED, REASONS), min_size=1, max_size=8))
def test_an_export_imports_back(
    format: str, reader: str, kinds: set[str], typed: list[tuple[str, str]]
) -> None:
    entries = [each for each in (entry(*pair) for pair in typed) if each is not None]
    written = REGISTRY[format](PUBLISHED)
    exact = [each for each in entries if written.say(each).how is How.EXACT]
    text = "".join(REGISTRY[format](PUBLISHED).write(exact, Report()))
    if not exact:
        return
    assert choose(text).slug == reader
    read = [line.subject for line in read_list(text, choose(text)) if line.subject]
    assert read == [Subject.of_value(each.value, each.kind) for each in exact]
    assert {each.kind for each in exact} <= kinds


def test_a_text_comes_back_from_our_own_csv() -> None:
    text = ListEntry("text", "http://[::bad/", "blocked", "x", "Rui", AT, None, 1, 1)
    written = "".join(REGISTRY["csv"](PUBLISHED).write([text], Report()))
    assert [line.subject for line in read_list(written, choose(written)) if line.subject] == [
        Subject.of_value("http://[::bad/", "text")
    ]
