"""Asks an Azure Data Explorer cluster, or an Eventhouse in Fabric, which speaks the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import AzureError
from azure.kusto.data import ClientRequestProperties, KustoClient, KustoConnectionStringBuilder
from azure.kusto.data.exceptions import (
    KustoAuthenticationError,
    KustoError,
    KustoMultiApiError,
    KustoNetworkError,
)
from azure.kusto.data.response import KustoResponseDataSet
from requests.exceptions import ReadTimeout

from footprint.azure.credentials import Identity
from footprint.azure.endpoints import Place
from footprint.azure.process import PerProcess
from footprint.azure.replies import said_of, shown
from footprint.azure.wire import Wire, mount_on
from hunts.kql.footprint import TABLE, Dialect, time_lines
from hunts.sources.base import Step
from hunts.sources.errors import Rejected, SourceError, TimedOut, Unavailable
from hunts.sources.knocking import knock
from hunts.sources.probes import Subject
from hunts.sources.remote import Call, Received, RemoteAdapter, now
from hunts.sources.replies import error_in_words, error_of
from hunts.sources.watch import Watch

SERVICE = "Data Explorer"
MAX_ROWS = 500_000
# As Defender's own stream of events names it.
TIME_COLUMN = "Timestamp"

_LONGEST_SECONDS = 3_600.0

ADVICE = {
    Step.REACHED: "Look at the address of the cluster, whether it runs, and at the proxy or private link.",
    Step.SIGNED_IN: "Look at the credential: tenant, client, secret or certificate, and its end.",
    Step.PERMITTED: "Look at the database's name, and give the identity the role Viewer on it.",
    Step.TABLE: (
        "The database needs a table, or a function, that is called DeviceNetworkEvents and has the columns"
        " of Defender. Name in `lacks` the ones it does not have, and in `time_column` the one with the time."
    ),
    Step.NEWEST: "Look at the export or stream that fills the table.",
}


class DataExplorerAdapter(RemoteAdapter):
    def __init__(
        self,
        place: Place,
        database: str,
        identity: Callable[[], Identity],
        *,
        identity_words: str,
        dialect: Dialect,
        max_rows: int = MAX_ROWS,
        retention_days: int | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        super().__init__(dialect, max_rows=max_rows, retention_days=retention_days, clock=clock)
        self._place = place
        self._database = database
        self._identity_words = identity_words
        self._identity = PerProcess(identity)
        self._client = PerProcess(self._open)

    def _open(self) -> _Client:
        # With a token of our own the client does not ask the cluster where to sign in, which it would
        # do without a timeout.
        connection = KustoConnectionStringBuilder.with_token_provider(self._place.endpoint, self._token)
        client = _Client(connection)
        mount_on(client.http_session)
        return client

    def _token(self) -> str:
        return self._identity.get().get_token(self._place.scope).token

    def _forget(self) -> None:
        self._identity.forget()

    def _exchange(self, call: Call) -> Received:
        call.wire.note(None)
        try:
            answer = self._client.get().execute_query(
                self._database, self._text(call), _properties(call.watch)
            )
        except KustoAuthenticationError as error:
            raise _not_signed_in(error) from error
        except KustoNetworkError as error:
            raise _unreached(error) from error
        except (KustoError, AzureError, *_UNREADABLE) as error:
            raise _answered_badly(call.wire, error) from error
        return _received(answer, call.wire.size())

    def _text(self, call: Call) -> str:
        """The service takes no window beside the query, so it goes into it, right after the table."""
        lines = time_lines(call.window, self._dialect)
        if not lines:
            return call.query.text
        bounded = "\n".join((TABLE, *lines))
        return re.sub(rf"^{TABLE} *$", lambda _: bounded, call.query.text, flags=re.MULTILINE)

    def _knock(self, watch: Watch, wire: Wire) -> None:
        knock(SERVICE, f"{self._place.endpoint}/", watch)

    def _subject(self) -> Subject:
        return Subject(
            SERVICE, self._place.endpoint, self._identity_words, ADVICE, self._clock(), self._retention_days
        )


class _Client(KustoClient):
    """Says so when an answer was broken off after its tables, which the client itself overlooks."""

    @property
    def http_session(self) -> Any:
        return self._session

    @staticmethod
    def _kusto_parse_by_endpoint(endpoint: str, response_json: Any) -> KustoResponseDataSet:
        for frame in response_json if isinstance(response_json, list) else ():
            if isinstance(frame, Mapping) and frame.get("FrameType") == "DataSetCompletion":
                _check_completion(frame)
        return KustoClient._kusto_parse_by_endpoint(endpoint, response_json)


def _check_completion(frame: Mapping[str, Any]) -> None:
    if not frame.get("HasErrors") and not frame.get("Cancelled"):
        return
    said = said_of({"error": {"details": frame.get("OneApiErrors") or []}})
    error = error_in_words(SERVICE, f"{said}\n{frame}", said)
    raise error or Unavailable(f"{SERVICE} failed while it answered.", said=said)


# The client takes an answer apart without looking at its shape first.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError)


def _properties(watch: Watch) -> ClientRequestProperties:
    properties = ClientRequestProperties()  # type: ignore[no-untyped-call]  # its author left it out
    seconds = min(_LONGEST_SECONDS, max(1.0, watch.remaining))
    properties.set_option(ClientRequestProperties.request_timeout_option_name, timedelta(seconds=seconds))
    properties.application = "footprint"
    return properties


def _not_signed_in(error: KustoAuthenticationError) -> SourceError:
    cause = error.exception
    if isinstance(cause, SourceError):
        return cause
    return Unavailable("Signing in broke off.", said=shown(str(cause)))


def _unreached(error: KustoNetworkError) -> SourceError:
    cause = error.__cause__
    said = shown(str(cause))
    if isinstance(cause, ReadTimeout):
        return TimedOut(f"{SERVICE} sent no answer in time.", said=said)
    return Unavailable(f"{SERVICE} cannot be reached, or broke off its answer.", said=said)


def _answered_badly(wire: Wire, error: Exception) -> SourceError:
    if isinstance(error, KustoMultiApiError):
        said = shown(error.message_text)
        words = f"{said} {error.errors}"
        return error_in_words(SERVICE, words, said) or Unavailable(
            f"{SERVICE} failed while it answered.", said=said
        )
    reply = wire.heard(SERVICE)
    if reply is None:
        return Unavailable(f"{SERVICE} broke off its answer.", said=shown(str(error)))
    if reply.status == HTTPStatus.NO_CONTENT:
        return Rejected(f"{SERVICE} has nothing to say of this database.", said=reply.said)
    return error_of(reply)


def _received(answer: KustoResponseDataSet, size: int) -> Received:
    tables = answer.primary_results
    if not tables:
        raise Unavailable(f"{SERVICE} sent an answer without a table.")
    table = tables[0]
    # As they were sent: the client would cut nothing and parse every time.
    rows: Sequence[Sequence[object]] = table.raw_rows
    return Received([column.column_name for column in table.columns], rows, size)
