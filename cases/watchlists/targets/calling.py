"""One request to a service: the token, a deadline for the whole answer, and what its failures mean."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from threading import Timer
from typing import Any

import httpx

from cases.watchlists.targets.errors import Unfinished, Unreached
from footprint.azure.credentials import Identity
from footprint.azure.endpoints import Place
from footprint.azure.errors import (
    NotSignedIn,
    Refused,
    Rejected,
    ServiceError,
    Throttled,
    TimedOut,
    Unavailable,
)
from footprint.azure.process import PerProcess
from footprint.azure.replies import BAD_TOKEN, Reply, pause_of, read_json, shown
from footprint.azure.wire import CONNECT_SECONDS, Wire

SECONDS = 30.0


class Caller:
    """`before` is called ahead of each request and may raise: it says whether to go on."""

    def __init__(
        self,
        service: str,
        place: Place,
        identity: Callable[[], Identity],
        *,
        authorities: str | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self.service = service
        self.place = place
        self.before: Callable[[], None] = lambda: None
        # Requests that changed something there, or may have.
        self.changes = 0
        self._authorities = authorities
        self._seconds = seconds
        self._identity = PerProcess(identity)
        self._client = PerProcess(self._open)

    def _open(self) -> httpx.Client:
        verify: ssl.SSLContext | bool = True
        if self._authorities:
            verify = ssl.create_default_context(cafile=self._authorities)
        # A kept connection could belong to another call by the time a deadline cuts it.
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(verify=verify, limits=limits, follow_redirects=False, trust_env=True)

    def call(
        self, method: str, path: str, *, fine: Collection[int] = (HTTPStatus.OK,), **options: Any
    ) -> httpx.Response:
        """`path` may be a whole address that the service gave us, of the same place."""
        try:
            return self._once(method, path, fine, options)
        except NotSignedIn:
            # The token may have run out, or the secret been changed, since we signed in.
            self._identity.forget()
            return self._once(method, path, fine, options)

    def _once(
        self, method: str, path: str, fine: Collection[int], options: Mapping[str, Any]
    ) -> httpx.Response:
        self.before()
        token = self._identity.get().get_token(self.place.scope).token
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        response = self._change(method, self._address(path), headers, options)
        if response.status_code not in fine:
            raise self.error_of(response)
        return response

    def _change(
        self, method: str, address: str, headers: Mapping[str, str], options: Mapping[str, Any]
    ) -> httpx.Response:
        """Counts it before it is sent, and takes that back when it surely changed nothing."""
        counts = int(method != "GET")
        self.changes += counts
        try:
            response = self._send(method, address, headers, options)
        except Unreached:
            self.changes -= counts
            raise
        if response.is_client_error and response.status_code != HTTPStatus.REQUEST_TIMEOUT:
            self.changes -= counts
        return response

    def _address(self, path: str) -> str:
        if path.startswith("/"):
            return f"{self.place.endpoint}{path}"
        if not path.startswith(f"{self.place.endpoint}/"):
            # A token goes to the place that was configured and nowhere else.
            raise Unavailable(f"{self.service} sends us elsewhere, where we do not go.", said=shown(path))
        return path

    def _send(
        self, method: str, address: str, headers: Mapping[str, str], options: Mapping[str, Any]
    ) -> httpx.Response:
        wire = Wire()
        deadline = Timer(self._seconds, wire.interrupt)
        deadline.daemon = True
        deadline.start()
        try:
            return self._client.get().request(
                method,
                address,
                headers=headers,
                timeout=httpx.Timeout(self._seconds, connect=min(CONNECT_SECONDS, self._seconds)),
                extensions={"trace": wire.trace},
                **options,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unreached(f"{self.service} cannot be reached.", said=shown(str(error))) from error
        except httpx.TimeoutException as error:
            raise TimedOut(f"{self.service} sent no answer in time.", said=shown(str(error))) from error
        except httpx.HTTPError as error:
            raise Unavailable(f"{self.service} broke off its answer.", said=shown(str(error))) from error
        finally:
            deadline.cancel()

    def json_of(self, response: httpx.Response) -> Mapping[str, Any]:
        body = read_json(response.content)
        if not isinstance(body, Mapping):
            raise Unavailable(
                f"{self.service} sent something that is no answer.", said=shown(response.text[:1000])
            )
        return body

    def error_of(self, response: httpx.Response) -> ServiceError:
        reply = Reply(self.service, response.status_code, response.headers, response.text)
        said, status, service = reply.said, reply.status, self.service
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            pause = pause_of(reply)
            return Throttled(
                f"{service} asks for a pause of {pause:g} seconds.", said=said, retry_after=pause
            )
        if status == HTTPStatus.UNAUTHORIZED or (
            status == HTTPStatus.FORBIDDEN and BAD_TOKEN.search(reply.body)
        ):
            return NotSignedIn(f"{service} does not accept the credentials.", said=said)
        if status == HTTPStatus.FORBIDDEN:
            return Refused(f"{service} does not permit this.", said=said)
        if status == HTTPStatus.NOT_FOUND:
            return Refused(f"{service} knows no such place.", said=said)
        if status == HTTPStatus.CONFLICT:
            return Unfinished(f"{service} is busy with an earlier change.", said=said)
        if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT}:
            return TimedOut(f"{service} gave no answer in its own time.", said=said)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unavailable(f"{service} is out of order.", said=said)
        if status >= HTTPStatus.BAD_REQUEST:
            return Rejected(f"{service} does not take this.", said=said)
        return Unavailable(f"{service} sent something that is no answer.", said=said)
