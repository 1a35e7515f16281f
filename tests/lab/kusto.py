"""`POST /v2/rest/query`, for the faults that a real engine on this machine does not have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from hunts.kql.window import Window
from tests.lab.engine import Table
from tests.lab.wire import Question, Refusal, Reply, reply_json

PATH = "/v2/rest/query"


@dataclass
class Kusto:
    database: str = "security"
    max_rows: int = 500_000
    time_column: str = "Timestamp"

    def read(self, path: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Question:
        asked = json.loads(body)
        if asked["db"] != self.database:
            words = f"Entity ID '{asked['db']}' of kind 'Database' was not found."
            raise Refusal(_error(400, "BadRequest_EntityNotFound", words))
        return Question(asked["csl"], Window())

    def table(self, table: Table, *, is_cut: bool, is_partial: bool) -> Reply:
        columns = [{"ColumnName": column.name, "ColumnType": column.kind} for column in table.columns]
        rows: list[object] = [
            [_cell(cell, column.kind) for cell, column in zip(row, table.columns, strict=True)]
            for row in table.rows
        ]
        completion: dict[str, object] = {
            "FrameType": "DataSetCompletion",
            "HasErrors": is_cut or is_partial,
            "Cancelled": False,
        }
        if is_cut:
            words = (
                "Query execution has exceeded the allowed limits (80DA0003): The results of this query exceed"
                f" the set limit of {self.max_rows} records, so not all records were returned"
                " (E_QUERY_RESULT_SET_TOO_LARGE)"
            )
            rows.append({"OneApiErrors": [_one_api_error("LimitsExceeded", words)]})
            completion["OneApiErrors"] = [_one_api_error("LimitsExceeded", words)]
        elif is_partial:
            completion["OneApiErrors"] = [_one_api_error("Internal", "A shard could not be read.")]
        primary = {
            "FrameType": "DataTable",
            "TableId": 1,
            "TableKind": "PrimaryResult",
            "TableName": "PrimaryResult",
            "Columns": columns,
            "Rows": rows,
        }
        header = {"FrameType": "DataSetHeader", "IsProgressive": False, "Version": "v2.0"}
        return reply_json(HTTPStatus.OK, [header, primary, completion])

    def not_understood(self, words: str, *, is_syntax: bool) -> Reply:
        return _error(400, "General_BadRequest", f"{'Syntax' if is_syntax else 'Semantic'} error: {words}")

    def no_token(self) -> Reply:
        return Reply(HTTPStatus.UNAUTHORIZED)

    def expired(self) -> Reply:
        return Reply(HTTPStatus.UNAUTHORIZED)

    def forbidden(self) -> Reply:
        words = f"Principal 'aadapp=1;2' is not authorized to read database '{self.database}'."
        return _error(403, "Forbidden", words)

    def throttled(self, retry_after: str) -> Reply:
        headers = {"Retry-After": retry_after} if retry_after else {}
        words = "Request is throttled (capacity)."
        return Reply(
            429,
            json.dumps({"error": {"code": "TooManyRequests", "message": words}}).encode(),
            headers=headers,
        )

    def cpu_spent(self) -> Reply:
        return self.throttled("")

    def unavailable(self) -> Reply:
        return _error(503, "ServiceUnavailable", "The cluster is being upgraded.")

    def wrong_json(self) -> Reply:
        return reply_json(HTTPStatus.OK, [{"FrameType": "DataTable", "TableKind": "PrimaryResult"}])


def _cell(cell: object, kind: str) -> object:
    return json.loads(cell) if kind == "dynamic" and isinstance(cell, str) else cell


def _one_api_error(code: str, words: str) -> dict[str, object]:
    return {"error": {"code": code, "message": "The request failed.", "@type": code, "@message": words}}


def _error(status: int, code: str, words: str) -> Reply:
    return reply_json(
        status,
        {"error": {"code": code, "message": "Request is invalid.", "@message": words, "@permanent": True}},
    )
