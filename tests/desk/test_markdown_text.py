"""No text inside the report's Markdown becomes anything but text."""

from __future__ import annotations

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from footprint.desk.markdown_text import indicator, table, text, verbatim
from footprint.desk.shown import defanged, visible

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HARMLESS = {
    *("paragraph_open", "paragraph_close", "inline", "text", "text_special", "code_inline", "fence"),
    *(f"{part}_{end}" for part in ("table", "thead", "tbody", "tr", "th", "td") for end in ("open", "close")),
}
NASTY = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            [
                *("`", "``", "|", "\\", "\\|", "[x](javascript:y)", "![", "](http://a.example)", "<b>"),
                *("<http://a.example>", "http://a.example", "\n", "\r", "# ", "- ", "* ", "> ", "~~~"),
                *(
                    "&lt;",
                    "&#60;",
                    "a.example",
                    "\u202e",
                    "\x00",
                    "www.a.example",
                    "a@b.example",
                    "---",
                    "\u2028",
                ),
            ]
        )
    ).map("".join),
)


def tokens_of(source: str) -> list[Token]:
    found = READER.parse(source)
    return [each for token in found for each in (token, *(token.children or ()))]


def text_of(tokens: list[Token]) -> str:
    return "".join(token.content for token in tokens if token.type in ("text", "text_special", "code_inline"))


@pytest.mark.parametrize("before", ["", "- ", "> ", "  - ", "# "])
@given(said=NASTY)
def test_a_text_stays_the_text_that_it_is(before: str, said: str) -> None:
    plain = {token.type for token in tokens_of(f"{before}x")}
    tokens = tokens_of(f"{before}{text(said)}")
    assert {token.type for token in tokens} <= HARMLESS | plain
    lines = " / ".join(part.strip() for part in said.splitlines() if part.strip())
    assert text_of(tokens).split() == visible(lines).split()


@given(NASTY)
def test_a_value_is_shown_defanged_and_is_no_link(value: str) -> None:
    tokens = tokens_of(f"x {indicator(value)}")
    assert {token.type for token in tokens} <= HARMLESS
    if value.strip() and value.isprintable() and value.isascii():
        assert text_of(tokens).split() == f"x {visible(defanged(value))}".split()


@given(st.lists(st.tuples(NASTY, NASTY, NASTY), min_size=1, max_size=4))
def test_a_table_has_its_cells_whatever_is_in_them(rows: list[tuple[str, str, str]]) -> None:
    cells = [[text(one), indicator(two), text(three)] for one, two, three in rows]
    tokens = tokens_of("\n".join(table(["a", "b", "c"], cells)))
    assert {token.type for token in tokens} <= HARMLESS
    assert sum(1 for token in tokens if token.type == "td_open") == 3 * len(rows)
    assert sum(1 for token in tokens if token.type == "tr_open") == 1 + len(rows)


@given(NASTY)
def test_a_note_stays_inside_its_fence(written: str) -> None:
    tokens = READER.parse("\n".join(["before", "", *verbatim(written), "after"]))
    assert [token.type for token in tokens if token.level == 0] == [
        *("paragraph_open", "paragraph_close", "fence", "paragraph_open", "paragraph_close")
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("cdn.contoso.example", "`cdn[.]contoso[.]example`"),
        ("2001:db8::1", "`2001[:]db8[:][:]1`"),
        ("*.contoso.example", "`*[.]contoso[.]example`"),
        ("a|b`c", r"a&#124;b\`c"),
    ],
)
def test_a_plain_value_is_code_and_a_strange_one_escaped_text(value: str, shown: str) -> None:
    assert indicator(value) == shown


def test_an_entity_that_was_typed_is_shown_as_typed() -> None:
    assert unescape(text_of(tokens_of(text("a &lt; b")))) == "a < b"
    assert text_of(tokens_of(text("a &lt; b"))) == "a &lt; b"
