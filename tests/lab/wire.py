"""What the stand-ins have in common: a question, a reply, and how a service speaks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol

from hunts.kql.window import Window
from tests.lab.engine import Table

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Question:
    kql: str
    window: Window


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    kind: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(reply.status)


def reply_json(status: int, body: object, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(body, ensure_ascii=False).encode(), JSON, named)


def gateway_timeout() -> Reply:
    page = (
        "<html><head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n"
        "<center><h1>504 Gateway Time-out</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return Reply(HTTPStatus.GATEWAY_TIMEOUT, page.encode(), "text/html")


@dataclass(frozen=True)
class Request:
    """`parameters` are those behind the question mark, the last one of each name."""

    method: str
    path: str
    parameters: Mapping[str, str]
    body: bytes
    # Where the lab is, for addresses in answers.
    url: str

    def read(self) -> dict[str, Any]:
        """Raises Refusal for what is no JSON object."""
        try:
            read = json.loads(self.body)
        except ValueError:
            read = None
        if not isinstance(read, dict):
            raise Refusal(reply_json(400, {"error": {"code": "BadRequest", "message": "Invalid JSON."}}))
        return read


class Speaking(Protocol):
    """How one of them says that something is wrong."""

    def no_token(self) -> Reply: ...

    def expired(self) -> Reply: ...

    def forbidden(self) -> Reply: ...

    def throttled(self, retry_after: str) -> Reply: ...

    def cpu_spent(self) -> Reply: ...

    def unavailable(self) -> Reply: ...

    def wrong_json(self) -> Reply: ...


class Keeper(Speaking, Protocol):
    """A service that keeps what it is given."""

    def answer(self, request: Request, now: datetime) -> Reply:
        """Raises Refusal."""
        ...


class Service(Speaking, Protocol):
    """One that answers questions. Times are of the lab's clock."""

    # Rows it gives at once.
    max_rows: int
    time_column: str

    def read(self, path: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Question:
        """Raises Refusal."""
        ...

    def table(self, table: Table, *, is_cut: bool, is_partial: bool) -> Reply: ...

    def not_understood(self, words: str, *, is_syntax: bool) -> Reply: ...
