"""Where a service is asked, and in which cloud: every address can be set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from footprint.azure.errors import BadSetting
from footprint.azure.trusted import check_host

PUBLIC_AUTHORITY = "https://login.microsoftonline.com"
_US_AUTHORITY = "https://login.microsoftonline.us"
_CHINA_AUTHORITY = "https://login.chinacloudapi.cn"
# A name, an IPv4 address, or an IPv6 address without its brackets.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


@dataclass(frozen=True)
class Place:
    """`audience` is whom a token is for, `authority` who gives it out."""

    endpoint: str
    audience: str
    authority: str

    @property
    def is_plain(self) -> bool:
        return self.endpoint.startswith("http://")

    @property
    def scope(self) -> str:
        return f"{self.audience.rstrip('/')}/.default"


def parse_endpoint(field: str, text: str, *, allow_http: bool) -> str:
    """Without a slash at its end."""
    if not text.isprintable() or " " in text:
        raise BadSetting(field, "An address has no spaces or control characters.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadSetting(field, "This is not an address like https://host.example.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise BadSetting(field, "Give an address like https://host.example.")
    if not _HOST.fullmatch(parts.hostname) or "\\" in text:
        # Clients read odd names in ways of their own: what one takes for a host, another takes for a path.
        raise BadSetting(field, "A host has letters, digits, dots and hyphens only.")
    if parts.username is not None or parts.password is not None:
        raise BadSetting(field, "An address holds no name and no password.")
    if parts.query or parts.fragment:
        raise BadSetting(field, "An address ends before ? and #.")
    if parts.scheme == "http" and not allow_http:
        raise BadSetting(field, "Without https everybody on the way can read the answers and the token.")
    return text.rstrip("/")


def host_of(endpoint: str) -> str:
    return urlsplit(endpoint).hostname or ""


def authority_of(endpoint: str) -> str:
    """Of the cloud that the host's name belongs to."""
    host = host_of(endpoint)
    if host.endswith((".us", ".usgovcloudapi.net")):
        return _US_AUTHORITY
    if host.endswith(".cn"):
        return _CHINA_AUTHORITY
    return PUBLIC_AUTHORITY


def place_of(
    options: Mapping[str, str],
    environment: Mapping[str, str],
    *,
    endpoint: str,
    audience: str,
    allow_http: bool,
    trusted: Sequence[str] = (),
) -> Place:
    """`endpoint` and `audience` are what holds when the options say nothing else.

    `trusted` are hosts beside those of Microsoft's clouds; where plain http is allowed, in a lab, any is.
    """

    def address(name: str) -> str:
        text = options.get(name, "").strip()
        if not text:
            return ""
        given = parse_endpoint(name, text, allow_http=allow_http)
        if not allow_http:
            check_host(name, host_of(given), trusted)
        return given

    asked = address("endpoint") or endpoint
    authority = address("authority") or _authority_of(environment, allow_http=allow_http)
    named = options.get("audience", "").strip()
    return Place(asked, named or audience or asked, authority or authority_of(asked))


def _authority_of(environment: Mapping[str, str], *, allow_http: bool) -> str:
    text = environment.get("AZURE_AUTHORITY_HOST", "").strip()
    if not text:
        return ""
    address = text if "://" in text else f"https://{text}"
    return parse_endpoint("authority", address, allow_http=allow_http)
