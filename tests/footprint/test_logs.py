from __future__ import annotations

import pytest

from footprint.logs import CLIENTS, settings


@pytest.mark.parametrize(
    ("asked", "told"), [("DEBUG", "WARNING"), ("INFO", "WARNING"), ("WARNING", "WARNING"), ("ERROR", "ERROR")]
)
def test_clients_of_services_tell_no_requests_at_any_level(asked: str, told: str) -> None:
    loggers = settings(level=asked, as_json=True)["loggers"]
    assert {loggers[name]["level"] for name in CLIENTS} == {told}
    assert {"azure", "httpx", "msal", "urllib3"} <= set(CLIENTS)
