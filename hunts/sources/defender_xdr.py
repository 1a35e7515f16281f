"""Asks Defender XDR's advanced hunting, through Microsoft Graph."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import httpx

from footprint.azure.credentials import Identity
from footprint.azure.endpoints import Place
from footprint.azure.process import PerProcess
from footprint.azure.replies import Reply, read_json, shown
from footprint.azure.wire import CONNECT_SECONDS, Wire
from hunts.kql.dialects import DEFENDER_XDR
from hunts.kql.window import Window
from hunts.sources.base import Step
from hunts.sources.errors import TimedOut, Unavailable
from hunts.sources.probes import Subject
from hunts.sources.remote import Call, Received, RemoteAdapter, now
from hunts.sources.replies import error_of
from hunts.sources.watch import Watch

SERVICE = "Defender XDR"
ENDPOINT = "https://graph.microsoft.com"
# What is cut off bears no mark: an answer of this many rows is taken for one.
MAX_ROWS = 100_000
RETENTION_DAYS = 30

_PATH = "/v1.0/security/runHuntingQuery"
_GRACE_SECONDS = 5.0
_AHEAD = timedelta(days=2)

ADVICE = {
    Step.REACHED: "Look at the endpoint, and at the proxy on the way to it.",
    Step.SIGNED_IN: "Look at the credential: tenant, client, secret or certificate, and its end.",
    Step.PERMITTED: (
        "Grant the app ThreatHunting.Read.All on Microsoft Graph, as an application permission with an"
        " administrator's consent."
    ),
    Step.TABLE: "DeviceNetworkEvents needs Defender for Endpoint, Plan 2, in this tenant.",
    Step.NEWEST: "Look whether machines are onboarded to Defender for Endpoint and send events.",
}


_CLOUDS = (
    ENDPOINT,
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
)


def audience_of(endpoint: str) -> str:
    """Behind a proxy, tokens are for the public service all the same."""
    return endpoint if endpoint in _CLOUDS else ENDPOINT


class DefenderXdrAdapter(RemoteAdapter):
    def __init__(
        self,
        place: Place,
        identity: Callable[[], Identity],
        *,
        identity_words: str,
        max_rows: int = MAX_ROWS,
        retention_days: int | None = RETENTION_DAYS,
        authorities: str | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """`authorities` is a file of certificate authorities beside the usual ones' place."""
        super().__init__(DEFENDER_XDR, max_rows=max_rows, retention_days=retention_days, clock=clock)
        self._place = place
        self._identity_words = identity_words
        self._authorities = authorities
        self._identity = PerProcess(identity)
        self._client = PerProcess(self._open)

    def _open(self) -> httpx.Client:
        verify: ssl.SSLContext | bool = True
        if self._authorities:
            verify = ssl.create_default_context(cafile=self._authorities)
        return httpx.Client(
            verify=verify, limits=httpx.Limits(max_keepalive_connections=0), follow_redirects=False
        )

    def _forget(self) -> None:
        self._identity.forget()

    def _exchange(self, call: Call) -> Received:
        token = self._identity.get().get_token(self._place.scope).token
        body = {"Query": call.query.text, **self._timespan(call.window)}
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        response = self._send("POST", _PATH, call.watch, call.wire, json=body, headers=headers)
        if response.status_code != HTTPStatus.OK:
            raise error_of(_reply(response))
        return _received(response)

    def _send(self, method: str, path: str, watch: Watch, wire: Wire, **options: object) -> httpx.Response:
        timeout = httpx.Timeout(watch.remaining + _GRACE_SECONDS, connect=CONNECT_SECONDS)
        try:
            return self._client.get().request(
                method,
                f"{self._place.endpoint}{path}",
                timeout=timeout,
                extensions={"trace": wire.trace},
                **options,  # type: ignore[arg-type]  # handed through to httpx as they are
            )
        except httpx.ConnectError as error:
            raise Unavailable(f"{SERVICE} cannot be reached.", said=shown(str(error))) from error
        except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise TimedOut(f"{SERVICE} sent no answer in time.", said=shown(str(error))) from error
        except httpx.HTTPError as error:
            raise Unavailable(f"{SERVICE} broke off its answer.", said=shown(str(error))) from error

    def _timespan(self, window: Window) -> dict[str, str]:
        """Without one the service looks at its last 30 days, which is all it has."""
        if window.since is None and window.until is None:
            return {}
        moment = self._clock()
        since = window.since or moment - timedelta(days=self._retention_days or RETENTION_DAYS)
        until = window.until or max(since, moment) + _AHEAD
        return {"Timespan": f"{_iso(min(since, until))}/{_iso(until)}"}

    def _knock(self, watch: Watch, wire: Wire) -> None:
        response = self._send("GET", "/v1.0/", watch, wire)
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise error_of(_reply(response))

    def _subject(self) -> Subject:
        return Subject(
            SERVICE, self._place.endpoint, self._identity_words, ADVICE, self._clock(), self._retention_days
        )


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _reply(response: httpx.Response) -> Reply:
    return Reply(SERVICE, response.status_code, response.headers, response.text)


def _received(response: httpx.Response) -> Received:
    body = read_json(response.content)
    if not isinstance(body, Mapping):
        raise error_of(_reply(response))
    # The documentation spells these names both ways.
    parts = {str(name).lower(): value for name, value in body.items()}
    schema, results = parts.get("schema"), parts.get("results")
    if not isinstance(schema, list) or not isinstance(results, list):
        raise Unavailable(f"{SERVICE} sent an answer without a table.", said=_reply(response).said)
    columns = [_name(column) for column in schema]
    if not all(columns) or not all(isinstance(row, Mapping) for row in results):
        raise Unavailable(f"{SERVICE} sent a table that cannot be read.", said=_reply(response).said)
    for position, row in enumerate(results):
        # In place: the dictionaries take more than all else together.
        results[position] = tuple(row.get(column) for column in columns)
    return Received(columns, results, len(response.content))


def _name(column: object) -> str:
    if not isinstance(column, Mapping):
        return ""
    return str(next((value for name, value in column.items() if str(name).lower() == "name"), ""))
