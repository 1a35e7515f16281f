"""What the content policy and htmx without eval forbid in templates."""

from __future__ import annotations

import re

import pytest
from django.template.loader import get_template

from footprint.configuration import CHECKOUT

FOLDER = CHECKOUT / "templates"
TEMPLATES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.html"))
TAG = re.compile(r"<[a-z](?:\{%.*?%\}|\{\{.*?\}\}|\"[^\"]*\"|'[^']*'|[^<>\"'])*>", re.DOTALL)
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*="),
    "an event attribute": re.compile(r"\son[a-z]+\s*=", re.IGNORECASE),
    "hx-on": re.compile(r"\shx-on"),
    "a script in hx-vals or hx-headers": re.compile(r"hx-(?:vals|headers|vars)\s*=\s*[\"']\s*js(?:on)?:"),
    "a filter in hx-trigger": re.compile(r"hx-trigger\s*=\s*[\"'][^\"']*\["),
    "a script address": re.compile(r"(?:href|action)\s*=\s*[\"']\s*javascript:", re.IGNORECASE),
}


def source(name: str) -> str:
    text = (FOLDER / name).read_text()
    return re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", text, flags=re.DOTALL)


def test_there_are_templates_to_look_at() -> None:
    assert len(TEMPLATES) > 30


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_compiles(name: str) -> None:
    get_template(name)


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_template_holds_nothing_the_browser_would_refuse(name: str, what: str) -> None:
    assert not FORBIDDEN[what].search(source(name)), f"{name} holds {what}"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_holds_no_inline_script(name: str) -> None:
    for script in re.finditer(r"<script\b([^>]*)>(.*?)</script>", source(name), re.DOTALL):
        assert "src=" in script[1]
        assert not script[2].strip()


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_htmx_asks_for_can_be_asked_for_without_it(name: str) -> None:
    for tag in TAG.findall(source(name)):
        if "hx-get=" in tag and "hx-trigger=" not in tag:
            assert re.search(r"\s(?:href|action)=", tag), f"{name}: {tag}"
        if "hx-post=" in tag:
            assert re.search(r"\s(?:form)?action=", tag), f"{name}: {tag}"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_trusts_no_text(name: str) -> None:
    assert "|safe" not in source(name)
    assert "autoescape off" not in source(name)


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("an inline style", '<p style="x">'),
        ("an event attribute", "<p onClick = 'x'>"),
        ("hx-on", '<p hx-on:click="x">'),
        ("a script in hx-vals or hx-headers", "<p hx-vals='js:{a: 1}'>"),
        ("a filter in hx-trigger", '<p hx-trigger="click[ctrlKey]">'),
        ("a script address", '<a href=" JavaScript:x">'),
    ],
)
def test_the_search_finds_what_it_looks_for(what: str, text: str) -> None:
    assert FORBIDDEN[what].search(text)


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_address_holds_a_reason_or_the_token_of_a_form(name: str) -> None:
    for tag in TAG.findall(source(name)):
        if "hx-get=" in tag and "hx-include=" in tag:
            sent = re.search(r'hx-params="([a-z_,]+)"', tag)
            assert sent, f"{name} sends all of a form in an address: {tag}"
            assert not {"reason", "csrfmiddlewaretoken"} & {*sent[1].split(",")}
