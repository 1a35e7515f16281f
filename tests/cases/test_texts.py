"""What nobody can see, and what looks as if it were that."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.texts import bad_line, bad_reason, first_hidden, with_escapes

HIDDEN = {
    "NUL": "\0",
    "a bell": "\x07",
    "a zero width space": "\u200b",
    "a mark to the right": "\u200e",
    "a mark to the left": "\u200f",
    "an Arabic letter mark": "\u061c",
    "an override": "\u202e",
    "an isolate": "\u2066",
    "a word joiner": "\u2060",
    "a byte order mark": "\ufeff",
    "a soft hyphen": "\u00ad",
    "a line separator": "\u2028",
    "a paragraph separator": "\u2029",
    "a tag": "\U000e0061",
    "private use": "\ue000",
    "a lone surrogate": "\ud800",
    "a filler": "\u3164",
    "a cell of Braille without a dot": "\u2800",
    "a place for an object": "\ufffc",
    "a note without a head": "\U0001d159",
    "a filler of Khitan": "\U00016fe4",
    "one to be ignored of no meaning yet": "\u2065",
    "a special of no meaning yet": "\ufff0",
    "the last special of no meaning yet": "\ufff8",
    "a tag of no meaning yet": "\U000e0000",
    "the last tag of no meaning yet": "\U000e0fff",
    "a grapheme joiner": "\u034f",
    "a variation": "\ufe01",
    "a joiner between Latin letters": "\u200d",
    "a non-joiner between Latin letters": "\u200c",
    "a picture's sign behind a letter": "\ufe0f",
}
SEEN = {
    "lines and tabs": "one\n\ttwo",
    "Persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Hindi": "\u0915\u094d\u200d\u0937",
    "Malayalam at the end of a word": "\u0d28\u0d4d\u200d and",
    "Sinhala": "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "a number in Arabic": "\u0600\u0661\u0662",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "a colour of skin": "\U0001f469\U0001f3fd\u200d\U0001f4bb",
    "a rainbow": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "a heart": "\u2764\ufe0f",
    "a key": "1\ufe0f\u20e3",
    "a name with a variant": "\u845b\U000e0100",
    "Mongolian": "\u1820\u180b",
    "Korean": "\ud55c\uad6d",
    "Vietnamese": "e\u0323\u0302",
}
FILLERS = "\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159"


@pytest.mark.parametrize("what", HIDDEN)
def test_what_nobody_can_see_is_refused_and_shown_as_an_escape(what: str) -> None:
    text = f"ab{HIDDEN[what]}cd"
    escape = (
        "\\" + f"u{ord(HIDDEN[what]):04x}" if ord(HIDDEN[what]) < 0x10000 else f"\\U{ord(HIDDEN[what]):08x}"
    )
    assert first_hidden(text) == f"{escape} after “ab”"
    assert with_escapes(text) == f"ab{escape}cd"
    assert escape in bad_line(text)
    assert escape in bad_reason(text)


@pytest.mark.parametrize("what", SEEN)
def test_what_people_write_in_their_own_scripts_stays(what: str) -> None:
    assert not bad_line(SEEN[what])
    assert with_escapes(SEEN[what], keep="\n\t") == SEEN[what]


@pytest.mark.parametrize(
    "text", ["\u200d", "\u200c\u0645", "\u0645\u200c", "\u0645\u200c\u200c\u062e", "\u0645\u200ca"]
)
def test_a_joiner_that_joins_nothing_is_hidden(text: str) -> None:
    assert first_hidden(text)


def test_a_joiner_between_two_blanks_joins_no_pictures() -> None:
    assert with_escapes("\u2800\u200d\u2800") == "\\u2800\\u200d\\u2800"


def test_a_message_tells_the_line_in_which_it_stands() -> None:
    assert first_hidden("one\n\u200btwo") == "\\u200b at the start of a line"


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters=FILLERS)))
def test_letters_numbers_and_signs_alone_are_never_hidden(text: str) -> None:
    assert not bad_line(text)
    assert with_escapes(text) == text


@given(st.text(), st.sampled_from("".join(HIDDEN.values())), st.text())
def test_no_text_around_it_hides_it_from_both(before: str, letter: str, after: str) -> None:
    text = f"{before}x{letter}y{after}"
    assert bad_line(text)
    assert with_escapes(text) != text


@given(st.text())
def test_what_is_refused_is_what_is_shown_as_an_escape(text: str) -> None:
    plain = text.replace("\r", "\n")
    assert bool(bad_line(plain)) == (with_escapes(plain, keep="\n\t") != plain)
    assert not bad_line(with_escapes(plain))


@given(
    st.text(st.sampled_from("\u0645\u094d\u0915a \U0001f468\ufe0f")), st.sampled_from(["\u200c", "\u200d"])
)
def test_of_two_joiners_beside_each_other_one_is_always_hidden(around: str, joiner: str) -> None:
    assert first_hidden(f"{around}\u200d{joiner}{around}")


def test_the_signs_that_are_kept_of_format_characters_are_seen() -> None:
    assert unicodedata.category("\u0600") == "Cf"
    assert not bad_line("\u0600")
