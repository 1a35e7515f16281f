from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from requests.adapters import BaseAdapter

from footprint.azure.credentials import Identity, Reference, Way, open_identity, parse_reference
from hunts.sources.errors import BadSource, NotSignedIn, SourceError, Unavailable
from tests.hunts.sources.certificates import own_certificate
from tests.hunts.sources.conftest import OpenLab
from tests.hunts.sources.remote import EVENTS, KINDS, ask, at_noon, open_kind
from tests.lab.faults import FOREVER, Kind

SECRET = "planted-Secret~1234567890"
TENANT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
CLIENT = "12345678-1234-1234-1234-123456789012"
APP = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT}
AUTHORITY = "https://login.microsoftonline.com"
SCOPE = "https://api.loganalytics.io/.default"


def opened(reference: str, environment: Mapping[str, str], **options: Any) -> Identity:
    return open_identity(parse_reference(reference), environment, authority=AUTHORITY, **options)


def inside(identity: Identity) -> object:
    return identity._credential


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("default", Reference(Way.DEFAULT)),
        (" managed_identity ", Reference(Way.MANAGED_IDENTITY)),
        ("client_secret:CONTOSO", Reference(Way.CLIENT_SECRET, "CONTOSO")),
        ("token:LAB_TOKEN", Reference(Way.TOKEN, "LAB_TOKEN")),
    ],
)
def test_a_reference_names_a_way(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference
    assert str(reference) == text.strip()


@pytest.mark.parametrize(
    "text", ["", "password", "token", "token:", "token:A B", "client_secret:", "token:1", SECRET]
)
def test_what_names_no_way_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadSource) as caught:
        parse_reference(text)
    assert caught.value.field == "credential"
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({}, ManagedIdentityCredential),
        ({**APP, "AZURE_CLIENT_SECRET": SECRET}, ClientSecretCredential),
        ({**APP, "AZURE_FEDERATED_TOKEN_FILE": "/run/token"}, WorkloadIdentityCredential),
    ],
)
def test_default_is_the_one_way_the_environment_describes(environment: dict[str, str], kind: type) -> None:
    assert type(inside(opened("default", environment))) is kind


def test_default_does_not_choose_between_two() -> None:
    environment = {**APP, "AZURE_CLIENT_SECRET": SECRET, "AZURE_FEDERATED_TOKEN_FILE": "/run/token"}
    with pytest.raises(NotSignedIn, match=r"describes a client secret and the workload identity\. Say which"):
        opened("default", environment)
    assert type(inside(opened("client_secret", environment))) is ClientSecretCredential


def test_another_prefix_reads_other_variables() -> None:
    environment = {"CONTOSO_TENANT_ID": TENANT, "CONTOSO_CLIENT_ID": CLIENT, "CONTOSO_CLIENT_SECRET": SECRET}
    assert type(inside(opened("client_secret:CONTOSO", environment))) is ClientSecretCredential
    with pytest.raises(NotSignedIn, match=r"^The variable AZURE_TENANT_ID is not set here"):
        opened("client_secret", environment)


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    asked = _Directory(200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
    identity = opened(
        "client_secret", {**APP, "AZURE_CLIENT_SECRET_FILE": str(path)}, transport=asked.transport()
    )
    assert identity.get_token(SCOPE).token == "t"
    assert f"client_secret={quote(SECRET)}" in asked.bodies[-1]


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"AZURE_CLIENT_SECRET": SECRET, "AZURE_CLIENT_SECRET_FILE": "/x"}, "Both AZURE_CLIENT_SECRET and"),
        ({"AZURE_CLIENT_SECRET_FILE": "/no/such/file"}, "cannot be read"),
        ({}, "The variable AZURE_CLIENT_SECRET is not set here"),
    ],
)
def test_a_secret_that_cannot_be_had_says_why(environment: dict[str, str], words: str) -> None:
    with pytest.raises(NotSignedIn, match=words) as caught:
        opened("client_secret", {**APP, **environment})
    assert SECRET not in f"{caught.value} {caught.value.said}"


def test_an_empty_or_unreadable_file_is_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    for content, words in ((b"\n", "is empty"), (b"\xff\xfe", "is not UTF-8 text")):
        path.write_bytes(content)
        with pytest.raises(NotSignedIn, match=words):
            opened("client_secret", {**APP, "AZURE_CLIENT_SECRET_FILE": str(path)})


def test_a_certificate_signs_in(tmp_path: Path) -> None:
    path = tmp_path / "app.pem"
    path.write_bytes(own_certificate())
    environment = {**APP, "AZURE_CLIENT_CERTIFICATE_PATH": str(path)}
    assert type(inside(opened("certificate", environment))) is CertificateCredential


def test_a_certificate_that_is_none_says_so(tmp_path: Path) -> None:
    path = tmp_path / "app.pem"
    path.write_text("no certificate")
    with pytest.raises(NotSignedIn, match=r"^What the environment says of a certificate cannot be used\.$"):
        opened("certificate", {**APP, "AZURE_CLIENT_CERTIFICATE_PATH": str(path)})


def test_a_tenant_that_is_none_says_so() -> None:
    with pytest.raises(NotSignedIn, match="cannot be used"):
        opened("client_secret", {**APP, "AZURE_TENANT_ID": "no tenant!", "AZURE_CLIENT_SECRET": SECRET})


def test_what_the_directory_says_is_passed_on() -> None:
    words = "AADSTS7000215: Invalid client secret provided."
    directory = _Directory(401, {"error": "invalid_client", "error_description": words})
    identity = opened(
        "client_secret", {**APP, "AZURE_CLIENT_SECRET": SECRET}, transport=directory.transport()
    )
    with pytest.raises(NotSignedIn, match=r"^Signing in with a client secret failed\.$") as caught:
        identity.get_token(SCOPE)
    assert words in caught.value.said
    assert SECRET not in caught.value.said


def test_a_directory_that_cannot_be_reached_is_not_a_bad_secret() -> None:
    transport = RequestsTransport(session=_session(_Unreachable()))
    identity = opened("client_secret", {**APP, "AZURE_CLIENT_SECRET": SECRET}, transport=transport)
    with pytest.raises(Unavailable, match=r"^The place that signs us in cannot be reached, or"):
        identity.get_token(SCOPE)


def test_a_directory_that_is_out_of_order_is_not_a_bad_secret() -> None:
    directory = _Directory(503, {"error": "temporarily_unavailable"})
    environment = {**APP, "AZURE_CLIENT_SECRET": SECRET}
    with pytest.raises(Unavailable):
        opened("client_secret", environment, transport=directory.transport()).get_token(SCOPE)


def test_a_given_token_is_read_for_every_question(tmp_path: Path) -> None:
    path = tmp_path / "token"
    identity = opened("token:LAB_TOKEN", {"LAB_TOKEN_FILE": str(path)})
    for token in ("first", "second"):
        path.write_text(token)
        assert identity.get_token(SCOPE).token == token


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "größe", "a\x7f"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(NotSignedIn, match=r"^What LAB_TOKEN holds is not a token\.$"):
        opened("token:LAB_TOKEN", {"LAB_TOKEN": token}).get_token(SCOPE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_secret_shows_nowhere(
    open_lab: OpenLab, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    lab = open_lab(EVENTS, clock=at_noon)
    adapter = open_kind(kind, lab, token=SECRET)
    shown = [repr(adapter), str(adapter), str(ask(adapter))]
    for fault in (Kind.EXPIRED, Kind.FORBIDDEN, Kind.NOT_JSON, Kind.RESET, Kind.UNAVAILABLE):
        lab.fault(fault, FOREVER)
        with pytest.raises(SourceError) as caught:
            ask(adapter)
        shown += [str(caught.getrepr(style="long")), repr(caught.value), caught.value.said]
        shown.append(str(adapter.probe()))
        lab.faults.clear()
    assert lab.asked[-1][1]["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in "\n".join([*shown, caplog.text])


def test_identities_and_references_show_no_secret() -> None:
    identity = opened("client_secret", {**APP, "AZURE_CLIENT_SECRET": SECRET})
    assert repr(identity) == "<Identity: a client secret>"
    assert SECRET not in f"{identity} {inside(identity)!r} {parse_reference('client_secret')!r}"


class _Directory:
    """Stands in for Microsoft Entra ID, below azure-identity."""

    def __init__(self, status: int, body: dict[str, object]) -> None:
        self.status = status
        self.body = body
        self.bodies: list[str] = []

    def transport(self) -> RequestsTransport:
        return RequestsTransport(session=_session(_Answering(self._answer)))

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, object]]:
        if request.method == "GET":
            base = f"{AUTHORITY}/{TENANT}"
            return 200, {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "issuer": f"{base}/v2.0",
                "metadata": [],
            }
        self.bodies.append(str(request.body))
        return self.status, self.body


class _Answering(BaseAdapter):
    def __init__(self, answer: Callable[[requests.PreparedRequest], tuple[int, dict[str, object]]]) -> None:
        super().__init__()
        self._answer = answer

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, body = self._answer(request)
        response.raw = io.BytesIO(json.dumps(body).encode())
        response.headers["Content-Type"] = "application/json"
        response.request, response.url = request, str(request.url)
        return response

    def close(self) -> None:
        """Nothing is open."""


class _Unreachable(_Answering):
    def __init__(self) -> None:
        super().__init__(lambda request: (0, {}))

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        raise requests.ConnectionError("Name or service not known")


def _session(adapter: BaseAdapter) -> requests.Session:
    session = requests.Session()
    session.mount("https://", adapter)
    return session
