"""The lab: one HTTP server on loopback that answers as each of the services does."""

from __future__ import annotations

import json
import socket
import ssl
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.lab import defender, graph, kusto, log_analytics, sentinel
from tests.lab.counts import Counts
from tests.lab.defender import Defender
from tests.lab.engine import Column, Engine, NotUnderstood, Table
from tests.lab.faults import Fault, Faults, Kind
from tests.lab.graph import Graph
from tests.lab.kusto import Kusto
from tests.lab.log_analytics import LogAnalytics
from tests.lab.sentinel import Sentinel
from tests.lab.wire import (
    JSON,
    Keeper,
    Refusal,
    Reply,
    Request,
    Service,
    Speaking,
    gateway_timeout,
    reply_json,
)

DRIP_SECONDS = 0.05


class Lab:
    """`token`: the only one that is believed; None believes any. With a `certificate`, a PEM file that
    has its key too, the lab speaks TLS."""

    def __init__(
        self,
        files: Sequence[Path] = (),
        *,
        port: int = 0,
        token: str | None = None,
        certificate: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.engine = Engine(files)
        self.token = token
        self.clock = clock
        self.log_analytics = LogAnalytics()
        self.graph = Graph()
        self.kusto = Kusto()
        self.sentinel = Sentinel()
        self.defender = Defender()
        self.faults = Faults()
        self.counts = Counts()
        # What keepers were asked: method and path.
        self.requests: list[tuple[str, str]] = []
        # What the others were asked: path, headers with small letters, body.
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        # Each answer takes at least so long.
        self.delay_seconds = 0.0
        self.closing = Event()
        self._server = _Server(("127.0.0.1", port), self)
        self._scheme = "https" if certificate else "http"
        if certificate:
            self._server.speak_tls(certificate)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="lab", daemon=True)

    def __enter__(self) -> Lab:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def fault(self, kind: Kind, times: int = 1, value: str = "") -> None:
        self.faults.add(Fault(kind, times, value))

    def keeper_at(self, path: str) -> Keeper | None:
        if sentinel.PATH.search(path):
            return self.sentinel
        return self.defender if defender.PATH.fullmatch(path) else None

    def service_at(self, path: str) -> Service | None:
        if log_analytics.PATH.fullmatch(path):
            return self.log_analytics
        if path.endswith(graph.PATH):
            return self.graph
        return self.kusto if path.endswith(kusto.PATH) else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Threads end by themselves once the lab is closing.
    block_on_close = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], lab: Lab) -> None:
        self.lab = lab
        super().__init__(address, _Handler)

    def speak_tls(self, certificate: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # Hands are shaken by the thread of the connection, not by the one that accepts.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *arguments: object) -> None:
        """The lab is quiet."""

    def do_GET(self) -> None:
        if self.path == "/lab/counts":
            return self._send(reply_json(HTTPStatus.OK, self.server.lab.counts.as_json()))
        if not self._keep("GET"):
            self._send(_nothing_here())
        return None

    def do_PUT(self) -> None:
        if not self._keep("PUT"):
            self._send(_nothing_here())

    def do_DELETE(self) -> None:
        if not self._keep("DELETE"):
            self._send(_nothing_here())

    def _keep(self, method: str, body: bytes | None = None) -> bool:
        """Whether there was a keeper to answer."""
        lab = self.server.lab
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        keeper = lab.keeper_at(path)
        if keeper is None:
            return False
        if body is None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
        request = Request(method, path, dict(parse_qsl(parts.query)), body, lab.url)
        headers = {name.lower(): value for name, value in self.headers.items()}
        with lab.counts.one():
            lab.requests.append((method, path))
            fault = lab.faults.take()
            if fault is not None and fault.kind is Kind.HANG:
                self._hang()
                return True
            reply = _kept(lab, keeper, request, headers, fault)
            if fault is not None:
                self._give(reply, fault)
                return True
        self._send(reply)
        return True

    def do_POST(self) -> None:
        lab = self.server.lab
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path == "/lab/faults":
            return self._send(_take_fault(lab, body))
        service = lab.service_at(self.path)
        if service is None:
            if not self._keep("POST", body):
                self._send(_nothing_here())
            return None
        headers = {name.lower(): value for name, value in self.headers.items()}
        lab.asked.append((self.path, headers, body))
        with lab.counts.one():
            fault = lab.faults.take()
            if lab.delay_seconds:
                lab.closing.wait(lab.delay_seconds)
            if fault is not None and fault.kind is Kind.HANG:
                return self._hang()
            reply = _reply(lab, service, self.path, headers, body, fault)
            if fault is not None:
                return self._give(reply, fault)
        # No more under way: who has the answer asks again before this thread goes on.
        return self._send(reply)

    def _give(self, reply: Reply, fault: Fault) -> None:
        match fault.kind:
            case Kind.DRIP:
                self._drip(reply)
            case Kind.RESET:
                self._reset(reply)
            case Kind.WITHHELD:
                self._hang()
            case _:
                self._send(reply)

    def _send(self, reply: Reply) -> None:
        self._begin(reply)
        if reply.body:
            self.wfile.write(reply.body)

    def _begin(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()

    def _drip(self, reply: Reply) -> None:
        self._begin(reply)
        with suppress(OSError):
            for position in range(len(reply.body)):
                if self.server.lab.closing.wait(DRIP_SECONDS):
                    break
                self.wfile.write(reply.body[position : position + 1])
                self.wfile.flush()
        self.close_connection = True

    def _hang(self) -> None:
        """Until the lab closes, or the other side does."""
        self.close_connection = True
        self.connection.settimeout(DRIP_SECONDS)
        while not self.server.lab.closing.is_set():
            with suppress(TimeoutError):
                if not self.connection.recv(1):
                    return

    def _reset(self, reply: Reply) -> None:
        self._begin(reply)
        self.wfile.write(reply.body[: len(reply.body) // 2])
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        # Closed with that, it is reset; shut down in order, as the server would, it is not.
        self.rfile.close()
        self.connection.close()


def _nothing_here() -> Reply:
    return reply_json(HTTPStatus.NOT_FOUND, {"error": {"code": "NotFound", "message": "Nothing here."}})


def _take_fault(lab: Lab, body: bytes) -> Reply:
    try:
        wanted = json.loads(body)
        fault = Fault(Kind(wanted["kind"]), int(wanted.get("times", 1)), str(wanted.get("value", "")))
    except (ValueError, KeyError, TypeError) as error:
        return reply_json(HTTPStatus.BAD_REQUEST, {"error": {"message": str(error)}})
    lab.faults.add(fault)
    return Reply(HTTPStatus.NO_CONTENT)


def _reply(
    lab: Lab,
    service: Service,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    fault: Fault | None,
) -> Reply:
    instead = _instead(service, fault)
    if instead is not None:
        return instead
    refusal = _without_token(lab, service, headers)
    if refusal is not None:
        return refusal
    try:
        question = service.read(path, headers, body, lab.clock())
        table = lab.engine.answer(question.kql, question.window, service.time_column)
    except Refusal as error:
        return error.reply
    except NotUnderstood as error:
        return service.not_understood(str(error), is_syntax=error.is_syntax)
    return _answer(service, table, fault)


def _kept(
    lab: Lab, keeper: Keeper, request: Request, headers: Mapping[str, str], fault: Fault | None
) -> Reply:
    instead = _instead(keeper, fault) or _without_token(lab, keeper, headers)
    if instead is not None:
        return instead
    try:
        return keeper.answer(request, lab.clock())
    except Refusal as error:
        return error.reply


def _without_token(lab: Lab, service: Speaking, headers: Mapping[str, str]) -> Reply | None:
    token = headers.get("authorization", "").removeprefix("Bearer ")
    if not token:
        return service.no_token()
    return None if lab.token in {None, token} else service.expired()


def _instead(service: Speaking, fault: Fault | None) -> Reply | None:
    """The faults that are no answer at all."""
    match fault.kind if fault is not None else None:
        case Kind.THROTTLED if fault is not None:
            return service.throttled(fault.value)
        case Kind.CPU_SPENT:
            return service.cpu_spent()
        case Kind.UNAVAILABLE:
            return service.unavailable()
        case Kind.GATEWAY_TIMEOUT:
            return gateway_timeout()
        case Kind.FORBIDDEN:
            return service.forbidden()
        case Kind.EXPIRED:
            return service.expired()
        case _:
            return _odd(service, fault)


def _odd(service: Speaking, fault: Fault | None) -> Reply | None:
    match fault.kind if fault is not None else None:
        case Kind.EMPTY:
            return Reply(HTTPStatus.OK)
        case Kind.NO_CONTENT:
            return Reply(HTTPStatus.NO_CONTENT)
        case Kind.WRONG_JSON:
            return service.wrong_json()
        case Kind.NOT_JSON:
            return Reply(HTTPStatus.OK, b"Service is starting, please wait", JSON)
        case Kind.REDIRECT:
            return Reply(HTTPStatus.FOUND, headers={"Location": "http://127.0.0.1:1/sign-in"})
        case _:
            return None


def _answer(service: Service, table: Table, fault: Fault | None) -> Reply:
    kind, value = (fault.kind, fault.value) if fault is not None else (None, "")
    if kind is Kind.RENAMED:
        columns = [
            Column(f"{column.name}1", column.kind) if column.name == value else column
            for column in table.columns
        ]
        table = replace(table, columns=tuple(columns))
    if kind is Kind.NULLS:
        table = replace(table, rows=[[None] * len(row) for row in table.rows])
    cap = int(value) if kind is Kind.TRUNCATED and value else service.max_rows
    is_cut = len(table.rows) > cap
    table = replace(table, rows=table.rows[:cap])
    return service.table(table, is_cut=is_cut, is_partial=kind is Kind.PARTIAL)
