"""The bodies as the services document them, and which errors they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.azure.replies import MAX_PAUSE_SECONDS, MAX_SAID, Reply, pause_of, said_of
from hunts.sources.errors import (
    NotSignedIn,
    Refused,
    Rejected,
    SourceError,
    Throttled,
    TimedOut,
    Truncated,
    Unavailable,
)
from hunts.sources.replies import error_of

SYNTAX = {
    "error": {
        "message": "The request had some invalid properties",
        "code": "BadArgumentError",
        "innererror": {
            "code": "SyntaxError",
            "message": "Syntax Error",
            "innererror": {
                "code": "SYN0002",
                "message": "Query could not be parsed at '|' on line [1,5]",
                "line": 1,
                "pos": 5,
                "token": "|",
            },
        },
    }
}
NO_TABLE = "'where' operator: Failed to resolve table or column expression named 'DeviceNetworkEvents'"


def error(code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


def reply(status: int, body: object, **headers: str) -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)
    return Reply("The service", status, headers, text)


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, SYNTAX, Rejected, "SYN0002: Query could not be parsed at '|' on line [1,5]"),
        (
            401,
            error("AuthenticationFailed", "Authentication failed."),
            NotSignedIn,
            "AuthenticationFailed: A",
        ),
        (403, error("InvalidAuthenticationToken", "Bad."), NotSignedIn, "InvalidAuthenticationToken: Bad."),
        (403, error("InsufficientAccessError", "No."), Refused, "InsufficientAccessError: No."),
        (403, error("UnauthorizedClient", "No app."), NotSignedIn, "UnauthorizedClient: No app."),
        (404, error("PathNotFoundError", "No path."), Refused, "PathNotFoundError: No path."),
        (413, "", Rejected, "413 "),
        (504, error("GatewayTimeout", "..."), TimedOut, "GatewayTimeout: ..."),
        (408, "", TimedOut, "408 Request Timeout"),
        (
            502,
            "<html><head><title>x</title></head><b>Bad gateway</b></html>",
            Unavailable,
            "Bad gateway",
        ),
        (520, "", Unavailable, "520"),
        (302, "", Unavailable, "302 Found"),
        (200, "[]", Unavailable, "[]"),
        (400, error("BadRequest", "Query exceeded the timeout period."), TimedOut, "BadRequest: Query"),
        (400, error("BadRequest", "Result size limit exceeded. Use"), Truncated, "BadRequest: Result"),
        (
            400,
            error("BadRequest", "Query execution has exceeded the allowed result size. Optimize"),
            Truncated,
            "BadRequest: Query execution",
        ),
        (
            400,
            error("BadRequest", "Query stopped due to excessive resource consumption."),
            Truncated,
            "BadRequest: Query stopped",
        ),
        (
            400,
            error(
                "BadRequest", "You have exceeded processing resources. You can run queries again in 00:12:30."
            ),
            Throttled,
            "BadRequest: You have exceeded",
        ),
        (
            400,
            {"error": {"code": "Bad", "message": "Invalid.", "@message": "Semantic error: SEM0100"}},
            Rejected,
            "Bad: Semantic error: SEM0100",
        ),
        (400, error("E", "Out.", innerError={"date": "2026", "request-id": "1"}), Rejected, "E: Out."),
    ],
)
def test_an_answer_that_is_none_is_one_of_our_errors(
    status: int, body: object, kind: type[SourceError], said: str
) -> None:
    found = error_of(reply(status, body))
    assert type(found) is kind
    assert found.said.startswith(said)
    assert str(found).endswith(".")


def test_a_missing_table_is_said_plainly() -> None:
    found = error_of(reply(400, error("SEM0100", NO_TABLE)))
    assert (type(found), str(found)) == (Rejected, "The service has no table DeviceNetworkEvents.")


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "12"}, "", 12.0),
        ({"retry-after": " 3 "}, "", 3.0),
        ({"retry-after-ms": "2500", "retry-after": "9"}, "", 2.5),
        ({"x-ms-retry-after-ms": "5000"}, "", 5.0),
        ({"Retry-After": "0"}, "", 1.0),
        ({"Retry-After": "-4"}, "", 30.0),
        ({"Retry-After": "a while"}, "", 30.0),
        ({}, "Rate limit is exceeded. Try again in 7 seconds.", 7.0),
        ({}, "You can run queries again in 1 hour 5 minutes.", 3600.0),
        ({}, "You have exceeded processing resources allocated to this tenant.", 900.0),
        ({}, "again in a moment", 30.0),
        ({"Retry-After": "11"}, "Try again in 7 seconds.", 11.0),
    ],
)
def test_a_pause_is_what_the_header_or_the_words_say(
    headers: dict[str, str], body: str, seconds: float
) -> None:
    assert pause_of(reply(429, body, **headers)) == seconds


def test_a_pause_until_a_moment_is_counted_from_now() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    assert 500 < pause_of(reply(429, "", **{"Retry-After": until})) <= 600


@given(header=st.text(max_size=40), body=st.text(max_size=200), status=st.integers(100, 599))
def test_whatever_is_sent_is_one_of_our_errors(header: str, body: str, status: int) -> None:
    found = error_of(reply(status, body, **{"Retry-After": header}))
    assert isinstance(found, SourceError)
    assert len(found.said) <= MAX_SAID
    if isinstance(found, Throttled):
        assert 1 <= found.retry_after <= MAX_PAUSE_SECONDS


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "code", "message", "innererror", "details", "@message", "OneApiErrors"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(body=_json)
def test_json_of_any_shape_says_something_or_nothing(body: object) -> None:
    assert isinstance(said_of(body, json.dumps(body)), str)


@pytest.mark.parametrize(
    "text",
    [
        "You sent Authorization: Bearer abc.def-ghi to us",
        "bearer abc.def-ghi",
        '{"message": "token eyJhbGciOiJub25lIn0.eyJzdWIiOiJhYmMuZGVmLWdoaSJ9.sig abc was wrong"}',
    ],
)
def test_a_service_that_repeats_the_token_is_not_repeated(text: str) -> None:
    said = error_of(reply(401, text)).said
    assert "(hidden)" in said
    assert "abc.def-ghi" not in said
    assert "eyJhbGciOiJub25lIn0" not in said
