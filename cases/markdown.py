"""Notes as HTML: Markdown without HTML of its own and without pictures, then cleaned once more. Pure.

Whatever stands in a note, the page loads nothing from elsewhere and runs nothing. A link needs a click and
tells nobody where it was clicked; whether an address should be one is up to the writer, who can defang it.
"""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cases.texts import with_escapes

# Headings of a note stand below the page's own.
_HIGHEST = 3
_LOWEST = 6
_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "a"),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
    *(f"h{level}" for level in range(_HIGHEST, _LOWEST + 1)),
}
_ATTRIBUTES = {"*": set[str](), "a": {"href"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}


class _Reader(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802  # the base class names it so
        """Only whole addresses: a path alone would lead into these pages."""
        scheme, colon, _ = url.lower().partition(":")
        return bool(colon) and scheme in _SCHEMES


def rendered(text: str) -> str:
    """Safe HTML. Characters that nobody can see are shown as escapes such as \\u202e."""
    tokens = _MARKDOWN.parse(with_escapes(text, keep="\n\t"))
    _lower_headings(tokens)
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def _reader() -> _Reader:
    # No HTML, no pictures; twenty levels deep at most, which bounds the work for any text.
    reader = _Reader("commonmark", {"html": False, "linkify": False, "maxNesting": 20})
    reader.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
    return reader


_MARKDOWN = _reader()


def _lower_headings(tokens: list[Token]) -> None:
    """The highest heading of a note becomes an h3, the next one an h4."""
    levels = sorted({token.tag for token in tokens if token.type == "heading_open"})
    places = {tag: f"h{min(_HIGHEST + place, _LOWEST)}" for place, tag in enumerate(levels)}
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = places[token.tag]
