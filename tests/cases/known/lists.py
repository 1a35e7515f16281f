"""Known lists for tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from cases.known.actions import Loading, load_lists
from cases.known.sources import ListSource
from cases.models import KnownList
from footprint.ledger.record import Actor


def source(slug: str, *lines: str, category: str = "good", with_below: bool = False) -> ListSource:
    return ListSource(
        slug=slug,
        title=slug.replace("-", " ").capitalize(),
        about="",
        category=category,
        version="1",
        origin="file",
        sha256=hashlib.sha256(repr((lines, with_below)).encode()).hexdigest(),
        names_with_below=with_below,
        lines=lambda: enumerate(lines, 1),
    )


def load(*sources: ListSource, again: bool = False) -> Loading:
    return load_lists(actor=Actor.command("tests"), sources=sources, again=again)


def known_list(slug: str, lines: Iterable[str], category: str = "good") -> KnownList:
    load(source(slug, *lines, category=category))
    return KnownList.objects.get(slug=slug)
