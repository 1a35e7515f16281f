from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.ledger.chain import GENESIS, BrokenChain, canonical_json, next_hash
from tests.footprint.ledger.links import Link, follow

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
CONTENTS = st.lists(
    st.dictionaries(TEXT.filter(lambda key: key != "seq"), TEXT | st.integers() | st.none()), max_size=8
)


def chain(contents: list[dict[str, object]]) -> list[Link]:
    links: list[Link] = []
    for seq, content in enumerate(contents, 1):
        text = canonical_json({**content, "seq": seq})
        links.append(Link(seq, text, next_hash(links[-1].hash if links else GENESIS, text)))
    return links


@given(CONTENTS)
def test_a_chain_as_written_holds_and_ends_on_its_last_hash(contents: list[dict[str, object]]):
    links = chain(contents)
    assert follow(links) == (len(links), links[-1].hash if links else GENESIS)


@given(CONTENTS.filter(bool), st.data())
def test_a_changed_text_is_found_where_it_was_changed(contents: list[dict[str, object]], data: st.DataObject):
    links = chain(contents)
    at = data.draw(st.integers(0, len(links) - 1))
    links[at] = replace(links[at], text=links[at].text.replace("{", "{ ", 1))
    with pytest.raises(BrokenChain) as broken:
        follow(links)
    assert broken.value.seq == at + 1


@given(CONTENTS.filter(lambda contents: len(contents) > 1), st.data())
def test_a_missing_entry_is_found(contents: list[dict[str, object]], data: st.DataObject):
    links = chain(contents)
    at = data.draw(st.integers(0, len(links) - 2))
    with pytest.raises(BrokenChain) as broken:
        follow(links[:at] + links[at + 1 :])
    assert broken.value.seq == at + 1


@given(CONTENTS.filter(lambda contents: len(contents) > 1), st.data())
def test_two_entries_that_changed_places_are_found(contents: list[dict[str, object]], data: st.DataObject):
    links = chain(contents)
    at = data.draw(st.integers(0, len(links) - 2))
    links[at], links[at + 1] = links[at + 1], links[at]
    with pytest.raises(BrokenChain):
        follow(links)


def test_a_text_under_another_number_is_found():
    first, second = chain([{"a": 1}, {"a": 2}])
    moved = Link(2, first.text, next_hash(first.hash, first.text))
    with pytest.raises(BrokenChain, match="belongs to another entry"):
        follow([first, moved])
    assert follow([first, second])[0] == 2


def test_a_chain_is_followed_on_from_where_it_was_left():
    links = chain([{"a": 1}, {"a": 2}, {"a": 3}])
    seq, digest = follow(links[:2])
    assert follow(links[2:], digest, seq + 1) == (3, links[2].hash)


@given(st.dictionaries(TEXT, TEXT))
def test_canonical_json_is_the_same_for_any_order_of_keys(content: dict[str, str]):
    backwards = dict(reversed(content.items()))
    assert canonical_json(content) == canonical_json(backwards)
    assert json.loads(canonical_json(content)) == content


def test_the_format_of_a_fixed_entry_never_changes():
    text = canonical_json({"seq": 1, "event": "cases:decision:made", "after": {"ü": [None, 1.5]}})
    assert text == '{"after":{"ü":[null,1.5]},"event":"cases:decision:made","seq":1}'
    assert next_hash(GENESIS, text) == hashlib.sha256(bytes(32) + text.encode()).digest()


def test_what_is_no_number_is_refused():
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json({"a": float("nan")})
