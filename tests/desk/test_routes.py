"""Every address of the site declares who may ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from footprint.accounts.gate import OPEN_TO_ALL
from footprint.accounts.may import Verb

OPEN = {"sign-in", "sign-out", "healthz", "feed"}


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, before + str(pattern.pattern))
        else:
            yield before + str(pattern.pattern), pattern


ROUTES = dict(routes(get_resolver().url_patterns))


@pytest.mark.parametrize("address", ROUTES)
def test_the_route_declares_a_verb(address: str) -> None:
    verb = getattr(ROUTES[address].callback, "verb", None)
    assert verb == OPEN_TO_ALL if ROUTES[address].name in OPEN else verb in set(Verb)


@pytest.mark.parametrize("address", [address for address in ROUTES if ROUTES[address].name not in OPEN])
def test_whoever_is_not_signed_in_gets_the_sign_in_page(client: Client, db: None, address: str) -> None:
    path = "/" + address.replace("<int:", "<").replace("<slug:", "<").replace("<str:", "<")
    while "<" in path:
        before, _, rest = path.partition("<")
        path = f"{before}1{rest.partition('>')[2]}"
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in?next=")
