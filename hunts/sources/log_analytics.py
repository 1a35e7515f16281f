"""Asks a Log Analytics workspace, as Sentinel has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.monitor.query import (
    LogsQueryClient,
    LogsQueryError,
    LogsQueryPartialResult,
    LogsQueryResult,
    LogsTable,
)

from hunts.kql.dialects import LOG_ANALYTICS
from hunts.kql.window import Window
from hunts.sources.base import Step
from hunts.sources.credentials import Identity
from hunts.sources.endpoints import Place
from hunts.sources.errors import Rejected, SourceError, TimedOut, Unavailable
from hunts.sources.knocking import knock
from hunts.sources.probes import Subject
from hunts.sources.process import PerProcess
from hunts.sources.remote import Call, Received, RemoteAdapter, now
from hunts.sources.replies import error_in_words, error_of, said_of, shown
from hunts.sources.watch import Watch
from hunts.sources.wire import CONNECT_SECONDS, Wire, open_session

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
        call.wire.note(None)
        try:
            result = self._query(self._client.get(), call)
        except (ServiceRequestError, ServiceResponseError) as error:
            raise _unreached(error) from error
        except (AzureError, *_UNREADABLE) as error:
            raise _answered_badly(call.wire, error) from error
        return _received(result, call.wire.size())

    def _query(self, client: LogsQueryClient, call: Call) -> LogsQueryResult | LogsQueryPartialResult:
        remaining = call.watch.remaining
        return client.query_workspace(
            self._workspace,
            call.query.text,
            timespan=self._timespan(call.window),
            server_timeout=max(1, min(_LONGEST_SECONDS, int(remaining) - _HEAD_START_SECONDS)),
            additional_workspaces=self._more_workspaces or None,
            connection_timeout=min(CONNECT_SECONDS, remaining + _GRACE_SECONDS),
            read_timeout=remaining + _GRACE_SECONDS,
            enforce_https=not self._place.is_plain,
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


# The client takes an answer apart without looking at its shape first, and a body that is no JSON as it is.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError)


def _unreached(error: ServiceRequestError | ServiceResponseError) -> SourceError:
    said = shown(error.message)
    if isinstance(error, ServiceResponseTimeoutError):
        return TimedOut(f"{SERVICE} sent no answer in time.", said=said)
    if isinstance(error, ServiceResponseError):
        return Unavailable(f"{SERVICE} broke off its answer.", said=said)
    return Unavailable(f"{SERVICE} cannot be reached.", said=said)


def _answered_badly(wire: Wire, error: Exception) -> SourceError:
    reply = wire.heard(SERVICE)
    # An error of the client without an answer to it: it was cut off while it was read.
    is_cut_off = isinstance(error, HttpResponseError) and error.response is None
    if reply is None or is_cut_off:
        return Unavailable(f"{SERVICE} broke off its answer.", said=shown(str(error)))
    if reply.status == HTTPStatus.NO_CONTENT:
        return Rejected(f"{SERVICE} has no telemetry in this workspace.", said=reply.said)
    return error_of(reply)


def _received(result: LogsQueryResult | LogsQueryPartialResult, size: int) -> Received:
    if isinstance(result, LogsQueryPartialResult):
        return _received_partly(result, size)
    if not result.tables:
        raise Unavailable(f"{SERVICE} sent an answer without a table.")
    table = result.tables[0]
    return Received(table.columns, _rows(table), size)


def _received_partly(result: LogsQueryPartialResult, size: int) -> Received:
    said, words = _words_of(result.partial_error)
    error = error_in_words(SERVICE, words, said)
    if error is not None:
        raise error
    if not result.partial_data:
        raise Unavailable(f"{SERVICE} failed while it answered.", said=said)
    table = result.partial_data[0]
    return Received(table.columns, _rows(table), size, partial=said or "PartialError")


def _words_of(error: LogsQueryError | None) -> tuple[str, str]:
    if error is None:
        return "", ""
    body = {"code": error.code, "message": error.message, "details": error.details}
    return said_of(body), str(body)


def _rows(table: LogsTable) -> list[Sequence[object]]:
    # The client writes "None" for an empty cell of these two types.
    written = [position for position, kind in enumerate(table.columns_types) if kind in {"guid", "timespan"}]
    rows: list[Sequence[object]] = []
    for row in table.rows:
        cells = list(row)
        for position in written:
            cells[position] = None if cells[position] == "None" else cells[position]
        rows.append(cells)
    return rows
