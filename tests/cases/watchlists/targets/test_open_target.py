from __future__ import annotations

import pytest

from cases.watchlists.targets.described import Described
from cases.watchlists.targets.open import DEFENDER, SENTINEL, open_target
from footprint.azure.endpoints import Place
from footprint.azure.errors import BadSetting
from tests.cases.watchlists.targets.places import MARK, WHERE


def described(kind: str, **options: str) -> Described:
    given = {**(WHERE if kind == SENTINEL else {}), **options}
    return Described(
        kind, {name: text for name, text in given.items() if text}, "default", MARK, "All blocks"
    )


def opened(kind: str, **options: str) -> Place:
    return open_target(described(kind, **options), environment={}, trusted=["proxy.example"])[1].place


@pytest.mark.parametrize("alias", ["abc", "a-c", "a b_c-d", "a" * 64])
def test_an_alias_that_sentinel_takes(alias: str):
    opened(SENTINEL, alias=alias)


@pytest.mark.parametrize("alias", ["ab", "-abc", "abc-", "a.b.c", "a/b", "é" * 4, "a" * 65, "a\nb"])
def test_an_alias_that_sentinel_would_refuse_is_told_at_its_field(alias: str):
    with pytest.raises(BadSetting) as caught:
        opened(SENTINEL, alias=alias)
    assert caught.value.field == "alias"


@pytest.mark.parametrize("name", WHERE)
def test_what_must_be_given(name: str):
    with pytest.raises(BadSetting) as caught:
        opened(SENTINEL, **{name: ""})
    assert caught.value.field == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("subscription", "contoso"),
        ("resource_group", "a/b"),
        ("workspace", "11111111/2222"),
        ("api_version", "latest"),
        ("endpoint", "http://127.0.0.1:1"),
        ("endpoint", "https://user:secret@host.example"),
        ("colour", "red"),
    ],
)
def test_what_cannot_be_meant_is_told_at_its_field(name: str, text: str):
    with pytest.raises(BadSetting) as caught:
        opened(SENTINEL, **{name: text})
    assert caught.value.field == name


def test_plain_http_is_for_labs():
    lab = described(SENTINEL, endpoint="http://127.0.0.1:1")
    assert open_target(lab, environment={}, allow_http=True)[1].place.is_plain


@pytest.mark.parametrize(
    ("kind", "endpoint", "audience", "authority"),
    [
        (SENTINEL, "", "https://management.azure.com", "https://login.microsoftonline.com"),
        (
            SENTINEL,
            "https://management.usgovcloudapi.net",
            "https://management.usgovcloudapi.net",
            "https://login.microsoftonline.us",
        ),
        (
            SENTINEL,
            "https://proxy.example",
            "https://management.azure.com",
            "https://login.microsoftonline.com",
        ),
        (DEFENDER, "", "https://api.securitycenter.microsoft.com", "https://login.microsoftonline.com"),
        (
            DEFENDER,
            "https://api-gov.securitycenter.microsoft.us",
            "https://api-gov.securitycenter.microsoft.us",
            "https://login.microsoftonline.us",
        ),
    ],
)
def test_each_cloud_has_its_audience_and_its_authority(
    kind: str, endpoint: str, audience: str, authority: str
):
    place = opened(kind, endpoint=endpoint)
    assert (place.audience, place.authority) == (audience, authority)


@pytest.mark.parametrize("kind", [SENTINEL, DEFENDER])
@pytest.mark.parametrize("name", ["endpoint", "authority"])
@pytest.mark.parametrize(
    "host",
    ["elsewhere.example", "management.azure.com.evil.example", "evil-management.azure.com", "login.example"],
)
def test_credentials_are_taken_to_no_host_that_nobody_trusts(kind: str, name: str, host: str):
    with pytest.raises(BadSetting, match="FOOTPRINT_TRUSTED_HOSTS") as refused:
        opened(kind, **{name: f"https://{host}"})
    assert refused.value.field == name


def test_a_service_gives_out_no_tokens():
    with pytest.raises(BadSetting, match="FOOTPRINT_TRUSTED_HOSTS"):
        opened(SENTINEL, authority="https://management.azure.com")


def test_a_trusted_dot_stands_for_everything_below():
    wanted = described(SENTINEL, endpoint="https://arm.proxies.contoso.com")
    place = open_target(wanted, environment={}, trusted=[".contoso.com"])[1].place
    assert place.endpoint == "https://arm.proxies.contoso.com"
