"""What a service said when it did not answer, and which of our errors that is.

The bodies differ: Log Analytics nests `innererror`, Graph writes `innerError` or `innererror`, Data
Explorer has `@message`, a gateway on the way sends HTML. The words of the services are in English and
not promised; what they do not settle, the status does.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from footprint.azure.replies import BAD_TOKEN, CPU_PAUSE_SECONDS, CPU_SPENT, Reply, pause_in_words, pause_of
from hunts.kql.footprint import TABLE
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
_NO_TABLE = re.compile(rf"resolve (?:table|entity)[^']*'{TABLE}'", re.IGNORECASE)
_NO_SUCH_PLACE = re.compile(
    r"EntityNotFound|of kind 'Database' was not found|WorkspaceNotFound", re.IGNORECASE
)
_PLAIN = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS,
}


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
    if CPU_SPENT.search(words):
        pause = pause_in_words(words) or CPU_PAUSE_SECONDS
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
    if status == HTTPStatus.UNAUTHORIZED or (status == HTTPStatus.FORBIDDEN and BAD_TOKEN.search(reply.body)):
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
