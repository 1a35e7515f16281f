"""`POST /v1.0/security/runHuntingQuery`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from tests.lab.engine import Table
from tests.lab.timespans import parse_timespan
from tests.lab.wire import Question, Refusal, Reply, reply_json

PATH = "/v1.0/security/runHuntingQuery"
_DEFAULT_TIMESPAN = "P30D"
_TYPES = {
    "string": "String",
    "datetime": "DateTime",
    "long": "Int64",
    "int": "Int32",
    "real": "Double",
    "bool": "SByte",
    "dynamic": "Object",
    "guid": "Guid",
    "timespan": "TimeSpan",
}


@dataclass
class Graph:
    max_rows: int = 100_000
    # The documentation has both spellings.
    schema_in_capitals: bool = False
    dynamic_as_text: bool = False
    time_column: str = "Timestamp"

    def read(self, path: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Question:
        asked = json.loads(body)
        try:
            window = parse_timespan(asked.get("Timespan") or _DEFAULT_TIMESPAN, now)
        except ValueError as error:
            raise Refusal(_error(400, "BadRequest", "The Timespan is not valid.")) from error
        return Question(asked["Query"], window)

    def table(self, table: Table, *, is_cut: bool, is_partial: bool) -> Reply:
        """What is cut off bears no mark, and there are no partial answers."""
        name, kind = ("Name", "Type") if self.schema_in_capitals else ("name", "type")
        schema = [{name: column.name, kind: _TYPES.get(column.kind, "Object")} for column in table.columns]
        results = []
        for row in table.rows:
            cells: dict[str, object] = {}
            for column, cell in zip(table.columns, row, strict=True):
                if column.kind == "dynamic":
                    cells[f"{column.name}@odata.type"] = "#Collection(String)"
                    cell = cell if self.dynamic_as_text or not isinstance(cell, str) else json.loads(cell)
                cells[column.name] = cell
            results.append(cells)
        context = "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.security.huntingQueryResults"
        return reply_json(HTTPStatus.OK, {"@odata.context": context, "schema": schema, "results": results})

    def not_understood(self, words: str, *, is_syntax: bool) -> Reply:
        return _error(400, "BadRequest", "A recognition error occurred." if is_syntax else words)

    def no_token(self) -> Reply:
        return _error(401, "InvalidAuthenticationToken", "Access token is empty.")

    def expired(self) -> Reply:
        words = "Lifetime validation failed, the token is expired."
        return _error(401, "InvalidAuthenticationToken", words)

    def forbidden(self) -> Reply:
        words = (
            "Missing application scopes. API required scopes: ThreatHunting.Read.All, application scopes:"
            " User.Read.All."
        )
        return _error(403, "Forbidden", words)

    def throttled(self, retry_after: str) -> Reply:
        headers = {"Retry-After": retry_after} if retry_after else {}
        body = {"error": {"code": "TooManyRequests", "message": "You have made too many calls."}}
        return Reply(429, json.dumps(body).encode(), headers=headers)

    def cpu_spent(self) -> Reply:
        words = (
            "You have exceeded processing resources allocated to this tenant. You can run queries again in"
            " 7 minutes."
        )
        return _error(429, "TooManyRequests", words)

    def unavailable(self) -> Reply:
        return _error(503, "ServiceUnavailable", "The service is unavailable.")

    def wrong_json(self) -> Reply:
        return reply_json(HTTPStatus.OK, {"schema": "none", "results": {"RemoteIP": "192.0.2.1"}})


def _error(status: int, code: str, message: str) -> Reply:
    inner = {"date": "2026-11-24T08:00:00", "request-id": "5b1cdcbd-a8f7-4d8b-b4ac-d1d2a1a4f0e9"}
    return reply_json(status, {"error": {"code": code, "message": message, "innerError": inner}})
