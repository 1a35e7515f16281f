"""`POST /v1/workspaces/{GUID}/query`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from tests.lab.engine import Table
from tests.lab.timespans import parse_timespan
from tests.lab.wire import Question, Refusal, Reply, reply_json

PATH = re.compile(r"(?:/[\w-]+)*/v1/workspaces/(?P<workspace>[^/]+)/query")


@dataclass
class LogAnalytics:
    # None: any.
    workspaces: frozenset[str] | None = None
    max_rows: int = 500_000
    # Dynamic cells come as JSON text, and from some places as what they are.
    dynamic_as_text: bool = True
    time_column: str = "TimeGenerated"

    def read(self, path: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Question:
        found = PATH.fullmatch(path)
        if found is None:
            raise Refusal(_error(404, "PathNotFoundError", "The requested path does not exist"))
        if "json" not in headers.get("content-type", ""):
            raise Refusal(Reply(HTTPStatus.OK))
        asked = json.loads(body)
        named = [found["workspace"], *(asked.get("workspaces") or [])]
        if self.workspaces is not None and not self.workspaces.issuperset(named):
            raise Refusal(_error(404, "PathNotFoundError", "The requested path does not exist"))
        try:
            window = parse_timespan(asked.get("timespan"), now)
        except ValueError as error:
            raise Refusal(_error(400, "BadArgumentError", "The timespan is not valid")) from error
        return Question(asked["query"], window)

    def table(self, table: Table, *, is_cut: bool, is_partial: bool) -> Reply:
        kinds = [column.kind for column in table.columns]
        rows = [[self._cell(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in table.rows]
        columns = [{"name": column.name, "type": column.kind} for column in table.columns]
        body: dict[str, object] = {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}
        if is_cut or is_partial:
            body["error"] = _partial_error(self.max_rows if is_cut else None)
        return reply_json(HTTPStatus.OK, body)

    def _cell(self, cell: object, kind: str) -> object:
        if kind == "dynamic" and isinstance(cell, str) and not self.dynamic_as_text:
            return json.loads(cell)
        return cell

    def not_understood(self, words: str, *, is_syntax: bool) -> Reply:
        inner = (
            {
                "code": "SyntaxError",
                "message": "Syntax Error",
                "innererror": {"code": "SYN0002", "message": words},
            }
            if is_syntax
            else {
                "code": "SemanticError",
                "message": "A semantic error occurred.",
                "innererror": {"code": "SEM0100", "message": words},
            }
        )
        return _error(400, "BadArgumentError", "The request had some invalid properties", innererror=inner)

    def no_token(self) -> Reply:
        words = "Authentication failed. The 'Authorization' header is missing."
        return _error(401, "AuthenticationFailed", words)

    def expired(self) -> Reply:
        return _error(403, "InvalidAuthenticationToken", "The access token is invalid.")

    def forbidden(self) -> Reply:
        words = "The provided credentials have insufficient access to perform the requested operation"
        return _error(403, "InsufficientAccessError", words)

    def throttled(self, retry_after: str) -> Reply:
        headers = {"Retry-After": retry_after} if retry_after else {}
        body = {"error": {"code": "ThrottledError", "message": "Rate limit is exceeded"}}
        return Reply(429, json.dumps(body).encode(), headers=headers)

    def cpu_spent(self) -> Reply:
        return self.throttled("")

    def unavailable(self) -> Reply:
        return _error(503, "ServiceUnavailable", "The service is temporarily unavailable")

    def wrong_json(self) -> Reply:
        return reply_json(HTTPStatus.OK, {"tables": [{"name": "PrimaryResult", "rows": [["192.0.2.1"]]}]})


def _error(status: int, code: str, message: str, **more: object) -> Reply:
    return reply_json(status, {"error": {"message": message, "code": code, **more}})


def _partial_error(cap: int | None) -> dict[str, object]:
    inner = {"code": "-2133196770", "message": "A shard could not be read (E_PARTIAL)", "severity": 2}
    if cap is not None:
        words = f"The results of this query exceed the set limit of {cap} records, so not all records were"
        inner = {
            "code": "-2133196797",
            "message": f"{words} returned (E_QUERY_RESULT_SET_TOO_LARGE).",
            "severity": 2,
            "severityName": "Error",
        }
    words = "Something went wrong processing your query on the server."
    return {
        "code": "PartialError",
        "message": "There were some errors when processing your query.",
        "details": [{"code": "EngineError", "message": words, "innererror": inner}],
    }
