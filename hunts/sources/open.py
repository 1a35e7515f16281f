"""From what is configured to something that can be asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from footprint.azure.credentials import WORDS, Identity, Reference, open_identity, parse_reference
from footprint.azure.endpoints import Place, host_of, place_of
from hunts.kql.footprint import Dialect
from hunts.sources import data_explorer, defender_xdr, log_analytics
from hunts.sources.data_explorer import DataExplorerAdapter
from hunts.sources.defender_xdr import DefenderXdrAdapter
from hunts.sources.errors import BadSource
from hunts.sources.log_analytics import LogAnalyticsAdapter
from hunts.sources.remote import RemoteAdapter, now

# What can be set for each kind; the first ones must be.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "log_analytics": ("workspace",),
    "defender_xdr": (),
    "data_explorer": ("endpoint", "database"),
}
_EVERYWHERE = ("endpoint", "audience", "authority", "retention_days", "max_rows")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "log_analytics": ("workspace", "more_workspaces", *_EVERYWHERE),
    "defender_xdr": _EVERYWHERE,
    "data_explorer": ("database", "time_column", "lacks", *_EVERYWHERE),
}

_LONGEST_RETENTION_DAYS = 12 * 366
_MOST_WORKSPACES = 100
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,1023}", re.ASCII)
_DATABASE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .\-]{0,1023}", re.ASCII)
_RESOURCE = re.compile(
    r"/subscriptions/[0-9a-f-]{36}/resourcegroups/[\w.()-]{1,90}"
    r"/providers/microsoft\.operationalinsights/workspaces/[\w-]{1,63}",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True)
class _Settings:
    options: Mapping[str, str]
    reference: Reference
    environment: Mapping[str, str]
    allow_http: bool
    trusted: Sequence[str]
    clock: Callable[[], datetime]

    def text(self, name: str) -> str:
        return self.options.get(name, "").strip()

    def place(self, endpoint: str, audience: str) -> Place:
        """`endpoint` and `audience` are what holds when nothing else is set."""
        return place_of(
            self.options,
            self.environment,
            endpoint=endpoint,
            audience=audience,
            allow_http=self.allow_http,
            trusted=self.trusted,
        )

    def identity(self, place: Place) -> Callable[[], Identity]:
        return lambda: open_identity(self.reference, self.environment, authority=place.authority)

    @property
    def retention_days(self) -> int | None:
        return self._number("retention_days", "days", _LONGEST_RETENTION_DAYS)

    def max_rows(self, usual: int) -> int:
        """A proxy, or a quota, may give less than is usual."""
        return self._number("max_rows", "rows", usual) or usual

    def _number(self, name: str, of_what: str, most: int) -> int | None:
        text = self.text(name)
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
            raise BadSource(name, f"Give a number of {of_what} from 1 to {most:,}.")
        return int(text)


def open_source(
    kind: str,
    options: Mapping[str, str],
    credential: str,
    *,
    environment: Mapping[str, str],
    allow_http: bool = False,
    trusted: Sequence[str] = (),
    clock: Callable[[], datetime] = now,
) -> RemoteAdapter:
    """Raises BadSource for what cannot be meant. Calls nobody and reads no secret: whether the
    environment has what the credential names shows when the source is asked."""
    if kind not in OPTIONS:
        raise BadSource("kind", f"There is no kind of source that is called {kind}.")
    for name in options:
        if name not in OPTIONS[kind]:
            raise BadSource(name, f"A source of this kind has no {name}.")
    settings = _Settings(options, parse_reference(credential), environment, allow_http, trusted, clock)
    for name in REQUIRED[kind]:
        if not settings.text(name):
            raise BadSource(name, f"Give the {name} to ask.")
    return _OPENERS[kind](settings)


def _log_analytics(settings: _Settings) -> RemoteAdapter:
    place = settings.place(log_analytics.ENDPOINT, "")
    if not settings.text("audience"):
        place = Place(place.endpoint, log_analytics.audience_of(host_of(place.endpoint)), place.authority)
    # The client drops what stands before a version at the end of an address.
    place = Place(place.endpoint.removesuffix("/v1"), place.audience, place.authority)
    return LogAnalyticsAdapter(
        place,
        _guid("workspace", settings.text("workspace")),
        settings.identity(place),
        identity_words=WORDS[settings.reference.way],
        more_workspaces=_workspaces(settings.text("more_workspaces")),
        max_rows=settings.max_rows(log_analytics.MAX_ROWS),
        retention_days=settings.retention_days,
        clock=settings.clock,
    )


def _defender_xdr(settings: _Settings) -> RemoteAdapter:
    place = settings.place(defender_xdr.ENDPOINT, "")
    if not settings.text("audience"):
        place = Place(place.endpoint, defender_xdr.audience_of(place.endpoint), place.authority)
    return DefenderXdrAdapter(
        place,
        settings.identity(place),
        identity_words=WORDS[settings.reference.way],
        max_rows=settings.max_rows(defender_xdr.MAX_ROWS),
        retention_days=settings.retention_days or defender_xdr.RETENTION_DAYS,
        authorities=settings.environment.get("REQUESTS_CA_BUNDLE") or None,
        clock=settings.clock,
    )


def _data_explorer(settings: _Settings) -> RemoteAdapter:
    place = settings.place("", "")
    database = settings.text("database")
    if not _DATABASE.fullmatch(database):
        raise BadSource("database", "A database is named with letters, digits, spaces, dots, - and _.")
    time_column = settings.text("time_column") or data_explorer.TIME_COLUMN
    lacks = frozenset(_listed(settings.text("lacks")))
    for field, name in (("time_column", time_column), *(("lacks", name) for name in sorted(lacks))):
        if not _COLUMN.fullmatch(name):
            raise BadSource(field, "A column is named with letters, digits and _.")
    return DataExplorerAdapter(
        place,
        database,
        settings.identity(place),
        identity_words=WORDS[settings.reference.way],
        dialect=Dialect(time_column, lacks),
        max_rows=settings.max_rows(data_explorer.MAX_ROWS),
        retention_days=settings.retention_days,
        clock=settings.clock,
    )


_OPENERS: Mapping[str, Callable[[_Settings], RemoteAdapter]] = {
    "log_analytics": _log_analytics,
    "defender_xdr": _defender_xdr,
    "data_explorer": _data_explorer,
}


def _listed(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,]+", text) if part]


def _workspaces(text: str) -> Sequence[str]:
    named = _listed(text)
    if len(named) >= _MOST_WORKSPACES:
        raise BadSource("more_workspaces", f"One question reaches {_MOST_WORKSPACES} workspaces at most.")
    return [
        name if _RESOURCE.fullmatch(name) else _guid("more_workspaces", name) for name in dict.fromkeys(named)
    ]


def _guid(field: str, text: str) -> str:
    words = "A workspace is named by its ID, like 00000000-0000-0000-0000-000000000000."
    if not re.fullmatch(r"[0-9A-Fa-f-]{36}", text):
        raise BadSource(field, words)
    try:
        return str(UUID(text))
    except ValueError as error:
        raise BadSource(field, words) from error
