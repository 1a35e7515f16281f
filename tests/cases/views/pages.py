"""Reading pages in tests."""

from __future__ import annotations

import re
from html import unescape
from typing import Any, Protocol

from django.test import Client

from cases.models import Case, CaseValue

HTMX = {"HX-Request": "true"}


class Answer(Protocol):
    """What Django's test client hands back, as far as the tests read it."""

    content: Any


def text_of(response: Answer) -> str:
    """What a reader reads: no tags, single spaces."""
    without_tags = re.sub(r"<[^>]*>", " ", response.content.decode())
    return unescape(re.sub(r"\s+", " ", without_tags))


def values_on(response: Answer) -> list[str]:
    """The values of the queue, top to bottom."""
    return [
        unescape(title)
        for title in re.findall(r'class="val mono" title="([^"]*)"', response.content.decode())
    ]


def queue_url(case: Case, query: str = "") -> str:
    return f"/cases/{case.pk}/?{query}"


def decide_url(value: CaseValue) -> str:
    return f"/cases/{value.case_id}/values/{value.pk}/decide"


def form_for(site: Client, value: CaseValue, verdict: str = "blocked", **changes: str) -> dict[str, str]:
    """What the editor under the row sends, with a reason and what a test changes."""
    page = site.get(queue_url(value.case, f"decide={value.pk}&verdict_as={verdict}"))
    editor = page.content.decode().partition("data-editor")[2].partition("</form>")[0]
    basis = re.search(r'name="basis" value="([^"]*)"', editor) or re.search(r'name="basis"', editor)
    assert basis is not None
    scope = re.search(r'name="scope" value="(\w+)"[^>]*checked', editor)
    assert scope is not None
    return {
        "verdict": verdict,
        "scope": scope[1],
        "until": "",
        "reason": "Seen in the beacon report",
        "basis": basis[1] if basis.groups() else "",
        "back": "",
        **changes,
    }
