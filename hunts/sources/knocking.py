"""Whether anything answers at an endpoint, before anybody signs in."""

from __future__ import annotations

from http import HTTPStatus

import requests

from footprint.azure.replies import Reply, shown
from footprint.azure.wire import CONNECT_SECONDS, open_session
from hunts.sources.errors import Unavailable
from hunts.sources.replies import error_of
from hunts.sources.watch import Watch

_LEAST_SECONDS = 0.1


def knock(service: str, url: str, watch: Watch) -> None:
    """Raises Unavailable. What it says to somebody without a token does not matter."""
    seconds = max(_LEAST_SECONDS, watch.remaining)
    with open_session() as session:
        try:
            answer = session.get(url, timeout=(min(CONNECT_SECONDS, seconds), seconds), allow_redirects=False)
        except requests.RequestException as error:
            raise Unavailable(f"{service} cannot be reached.", said=shown(str(error))) from error
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise error_of(Reply(service, answer.status_code, answer.headers, answer.text))
