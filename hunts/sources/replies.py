"""What a service said when it did not answer, and which of our errors that is.

The bodies differ: Log Analytics nests `innererror`, Graph writes `innerError` or `innererror`, Data
Explorer has `@message`, a gateway on the way sends HTML. The words of the services are in English and
not promised; what they do not settle, the status does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from hunts.kql.footprint import TABLE
from hunts.sources.errors import (
    DEFAULT_PAUSE_SECONDS,
    NotSignedIn,
    Refused,
    Rejected,
    SourceError,
    Throttled,
    TimedOut,
    Truncated,
    Unavailable,
)

MAX_SAID = 1_000
MAX_PAUSE_SECONDS = 3_600.0
# Defender counts processing time in quarters of an hour.
CPU_PAUSE_SECONDS = 900.0

_DEEPEST = 10
_TOO_LARGE = re.compile(
    r"E_QUERY_RESULT_SET_TOO_LARGE|-2133196797|result size limit exceeded|exceeded the allowed result size"
    r"|exceeds? the set limit|exceeded the internal (?:record count|data size) limit",
    re.IGNORECASE,
)
_TOO_COSTLY = re.compile(
    r"E_RUNAWAY_QUERY|E_LOW_MEMORY_CONDITION|excessive resource consumption|memory budget"
    r"|insufficient memory",
    re.IGNORECASE,
)
_TOO_SLOW = re.compile(
    r"exceeded the timeout|E_QUERY_TIMEOUT|timed out|QueryTimeout|GatewayTimeout", re.IGNORECASE
)
_CPU_SPENT = re.compile(r"exceeded processing resources|run queries again in", re.IGNORECASE)
_NO_TABLE = re.compile(rf"resolve (?:table|entity)[^']*'{TABLE}'", re.IGNORECASE)
_BAD_TOKEN = re.compile(
    r"InvalidAuthenticationToken|AuthenticationFailed|ExpiredAuthenticationToken|InvalidTokenError"
    r"|UnauthorizedClient|token (?:is|has) (?:invalid|expired)",
    re.IGNORECASE,
)
_NO_SUCH_PLACE = re.compile(
    r"EntityNotFound|of kind 'Database' was not found|WorkspaceNotFound", re.IGNORECASE
)
_PLAIN = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS,
}
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


def error_of(reply: Reply) -> SourceError:
    """The words first, where the status is vague: services hide "too large" and "too slow" behind a 400."""
    said = reply.said
    if reply.status in _PLAIN:
        return _by_status(reply, said)
    return error_in_words(reply.service, f"{said}\n{reply.body}", said) or _by_status(reply, said)


def error_in_words(service: str, words: str, said: str) -> SourceError | None:
    """`words` is all there is to look at, `said` the part for a person."""
    if _TOO_LARGE.search(words):
        return Truncated(f"The answer is larger than {service} gives at once.", said=said)
    if _TOO_COSTLY.search(words):
        return Truncated(f"The question needs more memory than {service} gives it.", said=said)
    if _CPU_SPENT.search(words):
        pause = _pause_in_words(words) or CPU_PAUSE_SECONDS
        message = f"{service} has no processing time left for us for {pause:g} seconds."
        return Throttled(message, said=said, retry_after=pause)
    if _TOO_SLOW.search(words):
        return TimedOut(f"{service} ended the question because it took too long.", said=said)
    return None


def _by_status(reply: Reply, said: str) -> SourceError:
    service, status = reply.service, reply.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        pause = pause_of(reply)
        return Throttled(f"{service} asks for a pause of {pause:g} seconds.", said=said, retry_after=pause)
    if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT}:
        return TimedOut(f"{service} gave no answer in its own time.", said=said)
    if status == HTTPStatus.UNAUTHORIZED or (
        status == HTTPStatus.FORBIDDEN and _BAD_TOKEN.search(reply.body)
    ):
        return NotSignedIn(f"{service} does not accept the credentials.", said=said)
    if status == HTTPStatus.FORBIDDEN:
        return Refused(f"{service} does not permit this question.", said=said)
    if status == HTTPStatus.NOT_FOUND or _NO_SUCH_PLACE.search(reply.body):
        return Refused(f"{service} knows no such place to ask.", said=said)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(f"{service} is out of order.", said=said)
    if status >= HTTPStatus.BAD_REQUEST:
        return rejected(service, said)
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        return Unavailable(f"{service} sends us elsewhere, where we do not go.", said=said)
    return Unavailable(f"{service} sent something that is no answer.", said=said)


def rejected(service: str, said: str) -> Rejected:
    if _NO_TABLE.search(said):
        return Rejected(f"{service} has no table {TABLE}.", said=said)
    return Rejected(f"{service} does not understand the question.", said=said)


def pause_of(reply: Reply) -> float:
    """In seconds: what the header says, or the words, or the usual."""
    headers = {name.lower(): value for name, value in reply.headers.items()}
    for name, scale in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0)):
        pause = _pause_in_header(headers.get(name, ""), scale)
        if pause is not None:
            return pause
    usual = CPU_PAUSE_SECONDS if _CPU_SPENT.search(reply.body) else DEFAULT_PAUSE_SECONDS
    return _pause_in_words(reply.body) or usual


def _pause_in_header(text: str, scale: float) -> float | None:
    if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text.strip(), re.ASCII):
        return _within_reason(float(text) * scale)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = at if at.tzinfo else at.replace(tzinfo=UTC)
    return _within_reason((moment - datetime.now(UTC)).total_seconds())


def _pause_in_words(words: str) -> float | None:
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
