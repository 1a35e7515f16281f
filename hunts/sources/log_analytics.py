"""Asks a Log Analytics workspace, as Sentinel has one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpResponse
from azure.monitor.query import LogsQueryClient

from footprint.azure.credentials import Identity
from footprint.azure.endpoints import Place
from footprint.azure.process import PerProcess
from footprint.azure.replies import Reply, read_json, said_of, shown
from footprint.azure.wire import CONNECT_SECONDS, Wire, open_session
from hunts.kql.dialects import LOG_ANALYTICS
from hunts.kql.window import Window
from hunts.sources.base import Step
from hunts.sources.errors import Rejected, SourceError, TimedOut, Unavailable
from hunts.sources.knocking import knock
from hunts.sources.probes import Subject
from hunts.sources.remote import Call, Received, RemoteAdapter, now
from hunts.sources.replies import error_in_words, error_of
from hunts.sources.watch import Watch

SERVICE = "Log Analytics"
ENDPOINT = "https://api.loganalytics.azure.com"
AUDIENCE = "https://api.loganalytics.io"
MAX_ROWS = 500_000

# The service works on a question for at most this long.
_LONGEST_SECONDS = 600
# So that the service's own word for "too slow" arrives before we hang up.
_HEAD_START_SECONDS = 2
# The watch ends a question; this is for a watch that was not scheduled in time.
_GRACE_SECONDS = 5.0
# The service takes no open window. Telemetry is not older than its first day, nor newer than tomorrow.
_BEGINNING = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
_AHEAD = timedelta(days=2)

ADVICE = {
    Step.REACHED: "Look at the endpoint, and at the proxy or private link on the way to it.",
    Step.SIGNED_IN: (
        "Look at the credential: tenant, client, secret or certificate, and its end."
        " The app needs Log Analytics API / Data.Read."
    ),
    Step.PERMITTED: (
        "Look at the workspace ID, and give the identity the role Log Analytics Reader on it."
        " A new role takes up to an hour."
    ),
    Step.TABLE: "Switch on DeviceNetworkEvents in the Microsoft Defender XDR connector of Sentinel.",
    Step.NEWEST: "Look whether the Microsoft Defender XDR connector still sends DeviceNetworkEvents.",
}


def audience_of(host: str) -> str:
    """Behind a private link or a proxy, tokens are for the public service all the same."""
    return _AUDIENCES.get(host, AUDIENCE)


_AUDIENCES = {
    "api.loganalytics.us": "https://api.loganalytics.us",
    "api.loganalytics.azure.cn": "https://api.loganalytics.azure.cn",
}


class LogAnalyticsAdapter(RemoteAdapter):
    def __init__(
        self,
        place: Place,
        workspace: str,
        identity: Callable[[], Identity],
        *,
        identity_words: str,
        more_workspaces: Sequence[str] = (),
        max_rows: int = MAX_ROWS,
        retention_days: int | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        super().__init__(LOG_ANALYTICS, max_rows=max_rows, retention_days=retention_days, clock=clock)
        self._place = place
        self._workspace = workspace
        self._more_workspaces = list(more_workspaces)
        self._identity_words = identity_words
        self._client = PerProcess(lambda: self._open(identity()))

    def _open(self, identity: Identity) -> LogsQueryClient:
        return LogsQueryClient(
            identity,
            endpoint=self._place.endpoint,
            audience=self._place.audience,
            transport=RequestsTransport(session=open_session()),
            # The client would ask a question that took too long three times more.
            retry_total=0,
            permit_redirects=False,
        )

    def _forget(self) -> None:
        self._client.forget()

    def _exchange(self, call: Call) -> Received:
        heard = _Heard()
        try:
            self._query(self._client.get(), call, heard)
        except (ServiceRequestError, ServiceResponseError) as error:
            raise _unreached(error) from error
        except (AzureError, ValueError) as error:
            # A body that is no JSON is a ValueError of the client's, whatever the status.
            raise _answered_badly(heard, error) from error
        return _received(heard)

    def _query(self, client: LogsQueryClient, call: Call, heard: _Heard) -> None:
        remaining = call.watch.remaining
        client.query_workspace(
            self._workspace,
            call.query.text,
            timespan=self._timespan(call.window),
            server_timeout=max(1, min(_LONGEST_SECONDS, int(remaining) - _HEAD_START_SECONDS)),
            additional_workspaces=self._more_workspaces or None,
            connection_timeout=min(CONNECT_SECONDS, remaining + _GRACE_SECONDS),
            read_timeout=remaining + _GRACE_SECONDS,
            enforce_https=not self._place.is_plain,
            raw_response_hook=heard.begin,
            stream=True,
            cls=heard.take,
        )

    def _timespan(self, window: Window) -> tuple[datetime, datetime] | None:
        if window.since is None and window.until is None:
            return None
        since = window.since or _BEGINNING
        return (since, window.until or max(since, self._clock()) + _AHEAD)

    def _knock(self, watch: Watch, wire: Wire) -> None:
        knock(SERVICE, self._place.endpoint, watch)

    def _subject(self) -> Subject:
        return Subject(
            SERVICE, self._place.endpoint, self._identity_words, ADVICE, self._clock(), self._retention_days
        )


class _Heard:
    """An answer as it was sent. The client would make a dictionary of every row beside its list, parse
    every time and write "None" into empty cells: three times the time, and twice the memory."""

    def __init__(self) -> None:
        self.body = b""
        self._response: HttpResponse | None = None

    def begin(self, response: PipelineResponse[Any, HttpResponse]) -> None:
        self._response = response.http_response

    def take(self, response: object, body: Iterable[bytes], headers: object) -> dict[str, object]:
        """As the client's `cls`: what it goes on with is empty."""
        self.body = b"".join(body)
        return {}

    def reply(self) -> Reply | None:
        """None when there was no answer, or not the whole of it."""
        response = self._response
        if response is None:
            return None
        if response.status_code == HTTPStatus.OK:
            text = self.body.decode("utf-8", "replace")
        else:
            text = response.text("utf-8")
        return Reply(SERVICE, response.status_code, response.headers, text)


def _unreached(error: ServiceRequestError | ServiceResponseError) -> SourceError:
    said = shown(error.message)
    if isinstance(error, ServiceResponseTimeoutError):
        return TimedOut(f"{SERVICE} sent no answer in time.", said=said)
    if isinstance(error, ServiceResponseError):
        return Unavailable(f"{SERVICE} broke off its answer.", said=said)
    return Unavailable(f"{SERVICE} cannot be reached.", said=said)


def _answered_badly(heard: _Heard, error: Exception) -> SourceError:
    reply = heard.reply()
    # An error of the client without an answer to it: it was cut off while it was read.
    is_cut_off = isinstance(error, HttpResponseError) and error.response is None
    if reply is None or is_cut_off:
        return Unavailable(f"{SERVICE} broke off its answer.", said=shown(str(error)))
    if reply.status == HTTPStatus.NO_CONTENT:
        return Rejected(f"{SERVICE} has no telemetry in this workspace.", said=reply.said)
    return error_of(reply)


def _received(heard: _Heard) -> Received:
    body = read_json(heard.body)
    if not isinstance(body, Mapping):
        raise _no_answer(heard)
    partial = _partial(body.get("error"))
    tables = body.get("tables")
    table = tables[0] if isinstance(tables, list) and tables else None
    if not isinstance(table, Mapping):
        raise Unavailable(f"{SERVICE} sent an answer without a table.", said=partial or said_of(body))
    columns, rows = table.get("columns"), table.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list):
        raise _no_answer(heard)
    names = [str(column.get("name")) if isinstance(column, Mapping) else "" for column in columns]
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        raise _no_answer(heard)
    return Received(names, rows, len(heard.body), partial)


def _partial(error: object) -> str | None:
    """What is wrong with an answer that has rows all the same."""
    if not error:
        return None
    said = said_of({"error": error})
    known = error_in_words(SERVICE, str(error), said)
    if known is not None:
        raise known
    return said or "PartialError"


def _no_answer(heard: _Heard) -> SourceError:
    reply = heard.reply()
    return Unavailable(f"{SERVICE} sent something that is no answer.") if reply is None else error_of(reply)
