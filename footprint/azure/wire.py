"""The sockets of one question, so that another thread can end it at any moment.

The clients of the services read until an answer is whole and cannot be told to stop: a server that sends
a byte now and then would hold a worker for ever. Shutting a socket down ends its reader at once.
Connections serve one request and are not kept: a kept one could be another question's by then.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from footprint.azure.replies import Reply

CONNECT_SECONDS = 10.0

# A peer that went away without a word is noticed after two minutes; on the way, balancers drop
# connections that are quiet for four.
KEEP_ALIVE: list[tuple[int, int, int]] = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
]

_held: ContextVar[Wire | None] = ContextVar("wire", default=None)


class Wire:
    def __init__(self) -> None:
        self._lock = Lock()
        self._is_cut = False
        self._sockets: list[socket.socket] = []
        self._response: requests.Response | None = None

    def note(self, response: requests.Response | None) -> None:
        """The last thing the source answered, whatever its client makes of it."""
        self._response = response

    def heard(self, service: str) -> Reply | None:
        """None when there was no answer, or not the whole of it."""
        response = self._response
        if response is None:
            return None
        try:
            return Reply(service, response.status_code, response.headers, response.text)
        except (requests.RequestException, RuntimeError):
            return None

    def size(self) -> int:
        """Of the last answer, in bytes."""
        return 0 if self._response is None else len(self._response.content)

    def take(self, taken: socket.socket) -> None:
        with self._lock:
            self._sockets.append(taken)
            if self._is_cut:
                _shut(taken)

    def interrupt(self) -> None:
        with self._lock:
            self._is_cut = True
            for taken in self._sockets:
                _shut(taken)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While this holds, what this thread connects belongs to the wire."""
        token = _held.set(self)
        try:
            yield
        finally:
            _held.reset(token)

    def trace(self, event: str, facts: Mapping[str, Any]) -> None:
        """For httpx, as the extension of this name."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self.take(facts["return_value"].get_extra_info("socket"))


def _shut(taken: socket.socket) -> None:
    try:
        # Of the plain socket, also where TLS lies over it: its own shutdown forgets the encryption
        # while another thread reads.
        socket.socket.shutdown(taken, socket.SHUT_RDWR)
    except OSError:
        # It is closed already, or became a socket with TLS, which is taken as well.
        return


def _take(connection: HTTPConnection) -> None:
    wire = _held.get()
    if wire is not None and connection.sock is not None:
        wire.take(connection.sock)


class _Connection(HTTPConnection):
    # Never used a second time, whatever the server thinks: see above.
    is_connected = False

    def connect(self) -> None:
        super().connect()
        _take(self)


class _TlsConnection(HTTPSConnection):
    # Never used a second time, whatever the server thinks: see above.
    is_connected = False

    def connect(self) -> None:
        super().connect()
        _take(self)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class _Adapter(HTTPAdapter):
    """`notes`: its answers are the source's, not those of a place that gives out tokens."""

    def __init__(self, *, notes: bool) -> None:
        self._notes = notes
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, socket_options=KEEP_ALIVE)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.headers["Connection"] = "close"
        response = super().send(request, *args, **kwargs)
        # All of them send JSON, which is UTF-8; where nothing is said, minutes would go into guessing.
        response.encoding = response.encoding or "utf-8"
        wire = _held.get()
        if self._notes and wire is not None:
            wire.note(response)
        return response


def mount_on(session: requests.Session, *, notes: bool = True) -> None:
    adapter = _Adapter(notes=notes)
    session.mount("http://", adapter)
    session.mount("https://", adapter)


def open_session(*, notes: bool = True) -> requests.Session:
    session = requests.Session()
    mount_on(session, notes=notes)
    return session
