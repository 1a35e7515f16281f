"""What a service said when it did not answer.

The bodies differ: Log Analytics nests `innererror`, Graph writes `innerError` or `innererror`, Data
Explorer has `@message`, Azure Resource Manager has `error`, a gateway on the way sends HTML. The words of
the services are in English and not promised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from footprint.azure.errors import DEFAULT_PAUSE_SECONDS

MAX_SAID = 1_000
MAX_PAUSE_SECONDS = 3_600.0
# Defender counts processing time in quarters of an hour.
CPU_PAUSE_SECONDS = 900.0

_DEEPEST = 10
CPU_SPENT = re.compile(r"exceeded processing resources|run queries again in", re.IGNORECASE)
BAD_TOKEN = re.compile(
    r"InvalidAuthenticationToken|AuthenticationFailed|ExpiredAuthenticationToken|InvalidTokenError"
    r"|UnauthorizedClient|token (?:is|has) (?:invalid|expired)",
    re.IGNORECASE,
)
_AGAIN_IN = re.compile(r"again (?:in|after) (?P<duration>[^.<]{1,40})", re.IGNORECASE)
_UNIT_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(h|m|s)", re.IGNORECASE)
_CLOCK = re.compile(r"(\d+):(\d{2}):(\d{2})")
_SECRET = re.compile(r"(Bearer\s+)\S+|eyJ[\w-]{8,}\.[\w.-]+", re.IGNORECASE)
_TAG = re.compile(r"<(?:style|script|head)\b.*?</(?:style|script|head)>|<[^>]*>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Reply:
    """A service's answer that is none."""

    service: str
    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def said(self) -> str:
        return said_of(read_json(self.body), self.body) or _status_words(self.status)


def pause_of(reply: Reply) -> float:
    """In seconds: what the header says, or the words, or the usual."""
    headers = {name.lower(): value for name, value in reply.headers.items()}
    for name, scale in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0)):
        pause = _pause_in_header(headers.get(name, ""), scale)
        if pause is not None:
            return pause
    usual = CPU_PAUSE_SECONDS if CPU_SPENT.search(reply.body) else DEFAULT_PAUSE_SECONDS
    return pause_in_words(reply.body) or usual


def _pause_in_header(text: str, scale: float) -> float | None:
    if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text.strip(), re.ASCII):
        return _within_reason(float(text) * scale)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = at if at.tzinfo else at.replace(tzinfo=UTC)
    return _within_reason((moment - datetime.now(UTC)).total_seconds())


def pause_in_words(words: str) -> float | None:
    found = _AGAIN_IN.search(words)
    if found is None:
        return None
    duration = found["duration"]
    if clock := _CLOCK.search(duration):
        hours, minutes, seconds = (int(part) for part in clock.groups())
        return _within_reason(hours * 3600.0 + minutes * 60 + seconds)
    amounts = _AMOUNT.findall(duration)
    return (
        _within_reason(sum(float(n) * _UNIT_SECONDS[unit.lower()] for n, unit in amounts))
        if amounts
        else None
    )


def _within_reason(seconds: float) -> float:
    return min(max(seconds, 1.0), MAX_PAUSE_SECONDS)


def read_json(text: str | bytes) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return None
    return value


def said_of(body: object, text: str = "") -> str:
    """The code and the message that say most, without anything that looks like a token."""
    if isinstance(body, Mapping):
        error = body.get("error", body)
        found = _innermost(error) if isinstance(error, Mapping) else str(error)
        if found:
            return shown(found)
    return shown(_TAG.sub(" ", text))


def shown(text: str) -> str:
    return _SECRET.sub(lambda found: f"{found[1] or ''}(hidden)", " ".join(text.split()))[:MAX_SAID]


def _innermost(error: Mapping[str, object]) -> str:
    said = ""
    # As deep as it goes, and no deeper than makes sense.
    for _ in range(_DEEPEST):
        code = error.get("code") or ""
        message = error.get("@message") or error.get("message") or ""
        if message or code:
            said = f"{code}: {message}" if code and message else str(message or code)
        inner = next((error[name] for name in _INNER if _is_filled(error.get(name))), None)
        if isinstance(inner, list):
            inner = inner[0]
        if not isinstance(inner, Mapping):
            break
        error = inner
    return said


_INNER = ("innererror", "innerError", "details", "OneApiErrors", "error")


def _is_filled(inner: object) -> bool:
    """Graph's inner error has nothing but a date and a number of the request."""
    if isinstance(inner, list):
        inner = inner[0] if inner else None
    return isinstance(inner, Mapping) and any(
        inner.get(name) for name in ("message", "@message", "code", *_INNER)
    )


def _status_words(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
