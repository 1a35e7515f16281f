"""Who we are at a Microsoft service, by reference: the name of a way to sign in, never a secret.

| reference         | where it comes from                                                            |
|-------------------|--------------------------------------------------------------------------------|
| managed_identity  | the machine; AZURE_CLIENT_ID picks one of several                              |
| workload_identity | AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE                   |
| client_secret     | AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET                          |
| certificate       | AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH, and, where it |
|                   | has one, AZURE_CLIENT_CERTIFICATE_PASSWORD                                     |
| token:NAME        | the variable NAME holds a bearer token: for proxies and labs                   |
| default           | whichever one of the first four the environment describes                      |

NAME_FILE names a file that holds the value of NAME. `client_secret:CONTOSO` reads CONTOSO_TENANT_ID and so
on; so do the others. A reference stands for one way to sign in: nothing falls through to another one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import (
    AzureError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    CredentialUnavailableError,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from footprint.azure.errors import BadSetting, NotSignedIn, ServiceError, Unavailable
from footprint.azure.replies import shown
from footprint.azure.wire import CONNECT_SECONDS, open_session

_READ_SECONDS = 20.0
_TRIES_AGAIN = 2
# A token we did not ask for says nothing of its end; it is read again for every question.
_TOKEN_SECONDS = 60

_NOT_OUR_FAULT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)}

# All that is left of an answer of the directory, once the libraries below have passed it on.
_OUT_OF_ORDER = re.compile(r"HTTP Error: (?:5\d\d|429|408)")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)


class Way(StrEnum):
    DEFAULT = "default"
    MANAGED_IDENTITY = "managed_identity"
    WORKLOAD_IDENTITY = "workload_identity"
    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a way, no secret
    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105 - the name of a way, no secret


WORDS = {
    Way.DEFAULT: "what the environment describes",
    Way.MANAGED_IDENTITY: "the managed identity",
    Way.WORKLOAD_IDENTITY: "the workload identity",
    Way.CLIENT_SECRET: "a client secret",
    Way.CERTIFICATE: "a certificate",
    Way.TOKEN: "a token",
}


@dataclass(frozen=True)
class Reference:
    way: Way
    # The variable of a token; for the others, what their variables' names begin with.
    name: str = "AZURE"

    def __str__(self) -> str:
        return str(self.way) if self.name == "AZURE" else f"{self.way}:{self.name}"


def parse_reference(text: str) -> Reference:
    way, colon, name = text.strip().partition(":")
    try:
        known = Way(way)
    except ValueError as error:
        # The text is not repeated: it may be a secret that somebody pasted.
        ways = ", ".join(each.value for each in Way if each is not Way.TOKEN)
        raise BadSetting("credential", f"Give one of {ways}, or token:NAME.") from error
    if colon and not _NAME.fullmatch(name):
        raise BadSetting("credential", "After the colon comes the name of a variable of the environment.")
    if known is Way.TOKEN and not name:
        raise BadSetting("credential", "Name the variable that holds the token: token:NAME.")
    return Reference(known, name) if name else Reference(known)


class Environment:
    """Variables, each of which may stand in a file instead. Shows no values."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def find(self, name: str) -> str:
        """Empty when it is not set."""
        direct, path = self._variables.get(name, ""), self._variables.get(f"{name}_FILE", "")
        if direct and path:
            raise NotSignedIn(f"Both {name} and {name}_FILE are set. Set one of them.")
        return _read(name, path) if path else direct.strip()

    def need(self, name: str) -> str:
        value = self.find(name)
        if not value:
            raise NotSignedIn(f"The variable {name} is not set here, and {name}_FILE is not either.")
        return value

    def path(self, name: str) -> str:
        """Of a variable that names a file."""
        value = self._variables.get(name, "")
        if not value:
            raise NotSignedIn(f"The variable {name} is not set here.")
        return value

    def has(self, name: str) -> bool:
        return bool(self._variables.get(name) or self._variables.get(f"{name}_FILE"))


def _read(name: str, path: str) -> str:
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise NotSignedIn(f"The file that {name}_FILE names cannot be read.", said=reason) from error
    except UnicodeDecodeError:
        # The error would hold the bytes that could not be read.
        raise NotSignedIn(f"The file that {name}_FILE names is not UTF-8 text.") from None
    if not value:
        raise NotSignedIn(f"The file that {name}_FILE names is empty.")
    return value


class Identity:
    """A credential for the clients of the services, whose failures are ours."""

    def __init__(self, credential: TokenCredential, words: str) -> None:
        self._credential = credential
        self._words = words

    def __repr__(self) -> str:
        return f"<Identity: {self._words}>"

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        try:
            return self._credential.get_token(*scopes, **options)
        except ServiceError:
            raise
        except CredentialUnavailableError as error:
            raise NotSignedIn(f"Signing in with {self._words} failed.", said=shown(error.message)) from error
        except (AzureError, ValueError, OSError) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> ServiceError:
        said = shown(str(error))
        if _is_out_of_order(error):
            return Unavailable("The place that signs us in cannot be reached, or is out of order.", said=said)
        return NotSignedIn(f"Signing in with {self._words} failed.", said=said)


def _is_out_of_order(error: BaseException) -> bool:
    """azure-identity calls it a failed authentication, too, when nobody was there to ask."""
    response = getattr(error, "response", None)
    if response is not None and response.status_code in _NOT_OUR_FAULT:
        return True
    if isinstance(error, ServiceRequestError | ServiceResponseError) or _OUT_OF_ORDER.search(str(error)):
        return True
    return error.__cause__ is not None and _is_out_of_order(error.__cause__)


def open_identity(
    reference: Reference,
    variables: Mapping[str, str],
    *,
    authority: str,
    transport: RequestsTransport | None = None,
) -> Identity:
    """Raises NotSignedIn when the environment lacks what the reference needs. Calls nobody."""
    environment = Environment(variables)
    way = _found_way(reference, environment) if reference.way is Way.DEFAULT else reference.way
    options = {
        "authority": authority,
        "retry_total": _TRIES_AGAIN,
        "transport": transport or _transport(),
    }
    try:
        return Identity(_MAKE[way](reference.name, environment, options), WORDS[way])
    except (ValueError, OSError) as error:
        # azure-identity looks at what it is given: a tenant, a certificate, its password.
        message = f"What the environment says of {WORDS[way]} cannot be used."
        raise NotSignedIn(message, said=shown(str(error))) from error


def _transport() -> RequestsTransport:
    return RequestsTransport(
        session=open_session(notes=False), connection_timeout=CONNECT_SECONDS, read_timeout=_READ_SECONDS
    )


def _found_way(reference: Reference, environment: Environment) -> Way:
    prefix = reference.name
    found = [
        way
        for way, variable in (
            (Way.CLIENT_SECRET, f"{prefix}_CLIENT_SECRET"),
            (Way.CERTIFICATE, f"{prefix}_CLIENT_CERTIFICATE_PATH"),
            (Way.WORKLOAD_IDENTITY, f"{prefix}_FEDERATED_TOKEN_FILE"),
        )
        if environment.has(variable)
    ]
    if len(found) > 1:
        ways = " and ".join(WORDS[way] for way in found)
        raise NotSignedIn(f"The environment describes {ways}. Say which one instead of default.")
    return found[0] if found else Way.MANAGED_IDENTITY


def _managed_identity(prefix: str, environment: Environment, options: dict[str, Any]) -> TokenCredential:
    without_authority = {name: value for name, value in options.items() if name != "authority"}
    client = environment.find(f"{prefix}_CLIENT_ID") or None
    return ManagedIdentityCredential(client_id=client, **without_authority)


def _workload_identity(prefix: str, environment: Environment, options: dict[str, Any]) -> TokenCredential:
    return WorkloadIdentityCredential(
        tenant_id=environment.need(f"{prefix}_TENANT_ID"),
        client_id=environment.need(f"{prefix}_CLIENT_ID"),
        token_file_path=environment.path(f"{prefix}_FEDERATED_TOKEN_FILE"),
        **options,
    )


def _client_secret(prefix: str, environment: Environment, options: dict[str, Any]) -> TokenCredential:
    return ClientSecretCredential(
        environment.need(f"{prefix}_TENANT_ID"),
        environment.need(f"{prefix}_CLIENT_ID"),
        environment.need(f"{prefix}_CLIENT_SECRET"),
        **options,
    )


def _certificate(prefix: str, environment: Environment, options: dict[str, Any]) -> TokenCredential:
    return CertificateCredential(
        environment.need(f"{prefix}_TENANT_ID"),
        environment.need(f"{prefix}_CLIENT_ID"),
        environment.path(f"{prefix}_CLIENT_CERTIFICATE_PATH"),
        password=environment.find(f"{prefix}_CLIENT_CERTIFICATE_PASSWORD") or None,
        **options,
    )


class _GivenToken:
    """Read for every question, so that whoever renews it need not tell us."""

    def __init__(self, name: str, environment: Environment) -> None:
        self._name = name
        self._environment = environment

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        token = self._environment.need(self._name)
        if not token.isascii() or not token.isprintable() or " " in token:
            raise NotSignedIn(f"What {self._name} holds is not a token.")
        return AccessToken(token, int(time.time()) + _TOKEN_SECONDS)


def _given_token(name: str, environment: Environment, options: dict[str, Any]) -> TokenCredential:
    return _GivenToken(name, environment)


_MAKE = {
    Way.MANAGED_IDENTITY: _managed_identity,
    Way.WORKLOAD_IDENTITY: _workload_identity,
    Way.CLIENT_SECRET: _client_secret,
    Way.CERTIFICATE: _certificate,
    Way.TOKEN: _given_token,
}
