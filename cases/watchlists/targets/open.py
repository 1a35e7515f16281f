"""From what is configured to a client that can be asked."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from cases.watchlists.targets import defender, sentinel
from cases.watchlists.targets.base import Client
from cases.watchlists.targets.calling import Caller
from cases.watchlists.targets.defender import DefenderClient
from cases.watchlists.targets.described import Described
from cases.watchlists.targets.sentinel import SentinelClient
from footprint.azure.credentials import Identity, open_identity, parse_reference
from footprint.azure.endpoints import Place, place_of
from footprint.azure.errors import BadSetting

SENTINEL = "sentinel"
DEFENDER = "defender"

# What can be set for each kind; the first ones must be.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    SENTINEL: ("subscription", "resource_group", "workspace", "alias"),
    DEFENDER: (),
}
_EVERYWHERE = ("endpoint", "audience", "authority")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    SENTINEL: (*REQUIRED[SENTINEL], "api_version", *_EVERYWHERE),
    DEFENDER: _EVERYWHERE,
}

_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{1,62}[A-Za-z0-9]", re.ASCII)
_RESOURCE_GROUP = re.compile(r"[A-Za-z0-9_().-]{1,89}[A-Za-z0-9_()-]", re.ASCII)
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]", re.ASCII)
_API_VERSION = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9](-preview)?", re.ASCII)
# A national cloud's own service is whom tokens are for; behind a proxy it is the public one.
_SENTINEL_CLOUDS = (
    sentinel.ENDPOINT,
    "https://management.usgovcloudapi.net",
    "https://management.chinacloudapi.cn",
)
_DEFENDER_CLOUDS = (
    "https://api-gcc.securitycenter.microsoft.us",
    "https://api-gov.securitycenter.microsoft.us",
)


def open_target(
    described: Described,
    *,
    environment: Mapping[str, str],
    allow_http: bool = False,
    trusted: Sequence[str] = (),
    wait: Callable[[float], None] = time.sleep,
) -> tuple[Client, Caller]:
    """Raises BadSetting for what cannot be meant. Calls nobody and reads no secret."""
    _check_names(described)
    reference = parse_reference(described.credential)
    place = _place(described, environment, allow_http=allow_http, trusted=trusted)

    def identity() -> Identity:
        return open_identity(reference, environment, authority=place.authority)

    authorities = environment.get("REQUESTS_CA_BUNDLE") or None
    if described.kind == DEFENDER:
        caller = Caller(defender.SERVICE, place, identity, authorities=authorities)
        return DefenderClient(caller, described.mark, takes_allows=described.takes_allows), caller
    caller = Caller(sentinel.SERVICE, place, identity, authorities=authorities)
    return SentinelClient(caller, _watchlist(described), wait=wait), caller


def _check_names(described: Described) -> None:
    if described.kind not in OPTIONS:
        raise BadSetting("kind", f"There is no kind of target that is called {described.kind}.")
    for name in described.options:
        if name not in OPTIONS[described.kind]:
            raise BadSetting(name, f"A target of this kind has no {name}.")
    for name in REQUIRED[described.kind]:
        if not described.options.get(name, "").strip():
            raise BadSetting(name, f"Give the {name.replace('_', ' ')}.")


def _place(
    described: Described, environment: Mapping[str, str], *, allow_http: bool, trusted: Sequence[str]
) -> Place:
    is_defender = described.kind == DEFENDER
    usual, audience, clouds = (
        (defender.ENDPOINT, defender.AUDIENCE, _DEFENDER_CLOUDS)
        if is_defender
        else (sentinel.ENDPOINT, sentinel.ENDPOINT, _SENTINEL_CLOUDS)
    )
    place = place_of(
        described.options,
        environment,
        endpoint=usual,
        audience=audience,
        allow_http=allow_http,
        trusted=trusted,
    )
    is_named = bool(described.options.get("audience", "").strip())
    if not is_named and place.endpoint in clouds:
        return Place(place.endpoint, place.endpoint, place.authority)
    return place


def _watchlist(described: Described) -> sentinel.Place:
    options = {name: text.strip() for name, text in described.options.items()}
    alias = options["alias"]
    if not _ALIAS.fullmatch(alias):
        raise BadSetting(
            "alias",
            "An alias has 3 to 64 letters and digits; between its ends there may be spaces, - and _.",
        )
    if not _RESOURCE_GROUP.fullmatch(options["resource_group"]):
        raise BadSetting("resource_group", "A resource group has up to 90 letters, digits, -, _, ., ( and ).")
    if not _WORKSPACE.fullmatch(options["workspace"]):
        raise BadSetting("workspace", "Give the workspace's name, not its ID: 4 to 63 letters, digits and -.")
    version = options.get("api_version") or sentinel.API_VERSION
    if not _API_VERSION.fullmatch(version):
        raise BadSetting("api_version", f"Give a version like {sentinel.API_VERSION}.")
    return sentinel.Place(
        subscription=_guid("subscription", options["subscription"]),
        resource_group=options["resource_group"],
        workspace=options["workspace"],
        alias=alias,
        mark=described.mark,
        title=described.title,
        api_version=version,
    )


def whereabouts(described: Described) -> Mapping[str, str]:
    """What decides where its entries are, by field. A subscription is of one tenant, whoever signs in; the
    indicators of Defender are those of the tenant that the credential signs in to."""
    options = _canonical(described)
    if described.kind == DEFENDER:
        found = {name: options.get(name, "") for name in _EVERYWHERE}
        found["endpoint"] = found["endpoint"].rstrip("/") or defender.ENDPOINT
        return found | {"credential": described.credential}
    found = {name: options.get(name, "") for name in (*_EVERYWHERE, *REQUIRED[SENTINEL])}
    return found | {"endpoint": found["endpoint"].rstrip("/") or sentinel.ENDPOINT}


def budget_place(described: Described) -> str:
    """Whom the changes of a month are counted for: all targets of one workspace together."""
    options = _canonical(described)
    parts = (options.get(name, "") for name in REQUIRED[SENTINEL][:3])
    return "/".join((SENTINEL, *parts))


def _canonical(described: Described) -> dict[str, str]:
    """One place has one spelling: Azure knows no case, and an ID may stand in braces."""
    options = {name: text.strip().lower() for name, text in described.options.items()}
    with suppress(ValueError):
        options["subscription"] = str(UUID(options.get("subscription", "")))
    return options


def _guid(field: str, text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise BadSetting(
            field, f"A {field} is named by its ID, like 00000000-0000-0000-0000-000000000000."
        ) from error
