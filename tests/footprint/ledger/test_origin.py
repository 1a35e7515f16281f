from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.test import RequestFactory

from footprint.ledger.origin import address_of


@pytest.fixture
def behind_proxy(settings, request: pytest.FixtureRequest) -> None:
    settings.FOOTPRINT = SimpleNamespace(behind_proxy=request.param)


def forwarded(value: str):
    return RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=value)


@pytest.mark.parametrize("behind_proxy", [False], indirect=True)
def test_a_forged_header_does_not_reach_the_ledger(behind_proxy: None):
    assert address_of(forwarded("8.8.8.8")) == "127.0.0.1"


@pytest.mark.parametrize("behind_proxy", [True], indirect=True)
def test_behind_a_proxy_only_what_it_added_itself_counts(behind_proxy: None):
    assert address_of(forwarded("8.8.8.8, 192.0.2.4")) == "192.0.2.4"
