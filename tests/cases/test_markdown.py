"""Whatever stands in a note, nothing runs, nothing is loaded, and nothing hides."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.markdown import rendered

ALLOWED = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "a", "ul", "ol", "li"),
    *("table", "thead", "tbody", "tr", "th", "td", "h3", "h4", "h5", "h6"),
}
HOSTILE = [
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](\x01javascript:alert(1))",
    "<javascript:alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "![x][1]\n\n[1]: https://evil.example/pixel.png",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '<a href="javascript:alert(1)" style="x" onclick="x">x</a>',
    "<style>*{background:url(//evil.example)}</style>",
    '[x](https://a.example "onmouseover=alert(1)")',
    "```<script>\n</script>\n```",
    "`<b>`",
    "<!-- --><iframe src=//evil.example>",
    "| a |\n|---|\n| <img src=x> |",
]


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def is_harmless(html: str) -> bool:
    seen = Seen(html)
    names = {name for name, _ in seen.attributes}
    links = [value for name, value in seen.attributes if name == "href"]
    return (
        seen.tags <= ALLOWED
        and names <= {"href", "rel", "start"}
        and all(
            link.lower().startswith(("http://", "https://", "mailto:")) or ":" not in link for link in links
        )
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_is_harmless(text: str):
    assert is_harmless(rendered(text))


@given(st.lists(st.sampled_from([*HOSTILE, "\n", " ", "> ", "- ", "# ", "*", "`", "[", "](", "<", "&#106;"])))
def test_hostile_markdown_is_harmless_in_every_mixture(parts: list[str]):
    assert is_harmless(rendered("".join(parts)))


@given(st.text())
def test_any_text_is_harmless(text: str):
    assert is_harmless(rendered(text))


@pytest.mark.parametrize(
    "piece", ["> ", "- ", "[", "*a ", "`", "![", "(", "<", "|a\n|-\n", "1. ", "\\", "**_"]
)
def test_ten_thousand_characters_of_nesting_are_answered(piece: str):
    assert is_harmless(rendered((piece * 10_000)[:10_000]))


def test_a_link_says_nothing_of_where_it_was_clicked():
    html = rendered("[vendor](https://contoso.example/a?b=1)")
    assert 'href="https://contoso.example/a?b=1"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_an_address_alone_is_no_link():
    assert "<a" not in rendered("Seen at https://evil.example/ and evil.example")


def test_characters_that_hide_are_shown():
    seen = Seen(rendered("evil\u202egnp.exe `\u2067x`"))
    assert seen.text.strip() == "evil\\u202egnp.exe \\u2067x"


def test_headings_stand_below_those_of_the_page():
    assert Seen(rendered("# One\n\n### Two\n\n# Three")).tags == {"h3", "h4"}


def test_what_people_need_is_there():
    html = rendered("*a* **b** ~~c~~ `d`\n\n- e\n\n1. f\n\n> g\n\n| h |\n|---|\n| i |\n\n```\nj\n```")
    assert {"em", "strong", "s", "code", "ul", "ol", "blockquote", "table", "pre"} <= Seen(html).tags
