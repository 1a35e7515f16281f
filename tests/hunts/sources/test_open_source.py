from __future__ import annotations

from typing import Any

import pytest

from hunts.kql.footprint import Dialect
from hunts.sources.data_explorer import DataExplorerAdapter
from hunts.sources.defender_xdr import DefenderXdrAdapter
from hunts.sources.errors import BadSource
from hunts.sources.log_analytics import LogAnalyticsAdapter
from hunts.sources.open import OPTIONS, REQUIRED, open_source
from hunts.sources.remote import RemoteAdapter

WORKSPACE = "11111111-2222-3333-4444-555555555555"
LA: dict[str, str] = {"workspace": WORKSPACE}
XDR: dict[str, str] = {}
ADX = {"endpoint": "https://help.kusto.windows.net", "database": "Security Logs"}
RESOURCE = (
    "/subscriptions/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/resourceGroups/rg-1"
    "/providers/Microsoft.OperationalInsights/workspaces/ws-1"
)


def opened(kind: str, options: dict[str, str], credential: str = "default", **more: Any) -> RemoteAdapter:
    usual: dict[str, Any] = {"environment": {}, "trusted": [".contoso.example"]}
    return open_source(kind, options, credential, **(usual | more))


def place_of(adapter: RemoteAdapter) -> tuple[str, str, str]:
    place = adapter._place  # type: ignore[attr-defined]  # every kind has one
    return place.endpoint, place.scope, place.authority


def test_each_kind_opens_its_adapter() -> None:
    assert isinstance(opened("log_analytics", LA), LogAnalyticsAdapter)
    assert isinstance(opened("defender_xdr", XDR), DefenderXdrAdapter)
    assert isinstance(opened("data_explorer", ADX), DataExplorerAdapter)
    assert set(OPTIONS) == set(REQUIRED)


@pytest.mark.parametrize(
    ("kind", "options", "environment", "place"),
    [
        (
            "log_analytics",
            LA,
            {},
            (
                "https://api.loganalytics.azure.com",
                "https://api.loganalytics.io/.default",
                "https://login.microsoftonline.com",
            ),
        ),
        (
            "log_analytics",
            {**LA, "endpoint": "https://api.loganalytics.us/"},
            {},
            (
                "https://api.loganalytics.us",
                "https://api.loganalytics.us/.default",
                "https://login.microsoftonline.us",
            ),
        ),
        (
            "log_analytics",
            {**LA, "endpoint": "https://link.contoso.example/la", "audience": "https://api.loganalytics.us"},
            {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"},
            (
                "https://link.contoso.example/la",
                "https://api.loganalytics.us/.default",
                "https://login.microsoftonline.us",
            ),
        ),
        (
            "defender_xdr",
            XDR,
            {},
            (
                "https://graph.microsoft.com",
                "https://graph.microsoft.com/.default",
                "https://login.microsoftonline.com",
            ),
        ),
        (
            "defender_xdr",
            {"endpoint": "https://graph.microsoft.us"},
            {},
            (
                "https://graph.microsoft.us",
                "https://graph.microsoft.us/.default",
                "https://login.microsoftonline.us",
            ),
        ),
        (
            "data_explorer",
            {**ADX, "authority": "https://login.contoso.example"},
            {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"},
            (
                "https://help.kusto.windows.net",
                "https://help.kusto.windows.net/.default",
                "https://login.contoso.example",
            ),
        ),
        (
            "data_explorer",
            {**ADX, "endpoint": "https://c.kusto.chinacloudapi.cn"},
            {},
            (
                "https://c.kusto.chinacloudapi.cn",
                "https://c.kusto.chinacloudapi.cn/.default",
                "https://login.chinacloudapi.cn",
            ),
        ),
    ],
)
def test_every_address_can_be_set(
    kind: str, options: dict[str, str], environment: dict[str, str], place: tuple[str, str, str]
) -> None:
    assert place_of(opened(kind, options, environment=environment)) == place


@pytest.mark.parametrize(
    ("kind", "options", "field"),
    [
        ("local", {}, "kind"),
        ("log_analytics", {}, "workspace"),
        ("log_analytics", {"workspace": "  "}, "workspace"),
        ("log_analytics", {"workspace": "my-workspace"}, "workspace"),
        ("log_analytics", {"workspace": WORKSPACE + "/query"}, "workspace"),
        ("log_analytics", {"workspace": "1111-1111222233334444555555555555-11"}, "workspace"),
        ("log_analytics", {**LA, "more_workspaces": f"{WORKSPACE}, other"}, "more_workspaces"),
        ("log_analytics", {**LA, "more_workspaces": " ".join([WORKSPACE] * 100)}, "more_workspaces"),
        ("log_analytics", {**LA, "database": "x"}, "database"),
        ("log_analytics", {**LA, "retention_days": "0"}, "retention_days"),
        ("log_analytics", {**LA, "retention_days": "thirty"}, "retention_days"),
        ("log_analytics", {**LA, "retention_days": "٣٠"}, "retention_days"),
        ("log_analytics", {**LA, "max_rows": "500001"}, "max_rows"),
        ("defender_xdr", {"workspace": WORKSPACE}, "workspace"),
        ("defender_xdr", {"endpoint": "http://graph.microsoft.com"}, "endpoint"),
        ("defender_xdr", {"authority": "http://login.example"}, "authority"),
        ("data_explorer", {"database": "x"}, "endpoint"),
        ("data_explorer", {"endpoint": ADX["endpoint"]}, "database"),
        ("data_explorer", {**ADX, "database": 'x"] | y'}, "database"),
        ("data_explorer", {**ADX, "time_column": "T | take 1"}, "time_column"),
        ("data_explorer", {**ADX, "lacks": "DeviceId, x y-z"}, "lacks"),
    ],
)
def test_what_cannot_be_meant_names_its_field(kind: str, options: dict[str, str], field: str) -> None:
    with pytest.raises(BadSource) as caught:
        opened(kind, options)
    assert caught.value.field == field
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "endpoint",
    [
        "graph.microsoft.com",
        "ftp://host",
        "https://",
        "https://host:0",
        "https://host:99999",
        "https://[::1",
        # Clients take this for a host at evil.example, though its name ends as a trusted one does.
        "https://evil.example\\.kusto.windows.net",
        "https://api.loganalytics.io/\\evil.example",
        "https://höst.kusto.windows.net",
        "https://name:secret@host",
        "https://host/?q",
        "https://host/#f",
        "https://ho st",
        "https://ho\nst",
        "https://ho\x00st",
    ],
)
def test_an_endpoint_is_a_plain_address(endpoint: str) -> None:
    with pytest.raises(BadSource) as caught:
        opened("defender_xdr", {"endpoint": endpoint})
    assert caught.value.field == "endpoint"
    assert "secret" not in str(caught.value)


def test_plain_http_needs_permission() -> None:
    options = {"endpoint": "http://127.0.0.1:8765"}
    with pytest.raises(BadSource, match="Without https everybody on the way"):
        opened("defender_xdr", options)
    assert place_of(opened("defender_xdr", options, allow_http=True))[0] == options["endpoint"]


def test_a_credential_is_looked_at_and_not_opened() -> None:
    with pytest.raises(BadSource) as caught:
        opened("log_analytics", LA, "hunter2")
    assert caught.value.field == "credential"
    opened("log_analytics", LA, "client_secret")


def test_more_workspaces_are_ids_or_resources() -> None:
    adapter = opened(
        "log_analytics", {**LA, "more_workspaces": f"{WORKSPACE.upper()}\n{RESOURCE}, {RESOURCE}"}
    )
    assert adapter._more_workspaces == [WORKSPACE, RESOURCE]  # type: ignore[attr-defined]  # what it sends


def test_the_columns_of_a_table_of_one_s_own_can_be_told() -> None:
    adapter = opened("data_explorer", {**ADX, "time_column": "EventTime", "lacks": "DeviceId, ActionType"})
    assert adapter.dialect == Dialect("EventTime", frozenset({"DeviceId", "ActionType"}))
    assert opened("data_explorer", ADX).dialect == Dialect("Timestamp")


@pytest.mark.parametrize("kind", ["log_analytics", "defender_xdr", "data_explorer"])
@pytest.mark.parametrize("name", ["endpoint", "authority"])
def test_credentials_are_taken_to_no_host_that_nobody_trusts(kind: str, name: str):
    options = {"log_analytics": LA, "defender_xdr": {}, "data_explorer": ADX}[kind]
    with pytest.raises(BadSource, match="FOOTPRINT_TRUSTED_HOSTS") as refused:
        opened(kind, {**options, name: "https://elsewhere.example"})
    assert refused.value.field == name
