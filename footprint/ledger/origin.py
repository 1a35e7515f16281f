"""Where a change comes from: every request carries its id and address into the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from structlog.contextvars import get_contextvars

from footprint.ledger.record import ORIGIN, Origin


class OriginMiddleware:
    """Stands after the request middleware of django-structlog, whose request id the logs carry too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        bound = get_contextvars()
        request_id = str(bound.get("request_id") or uuid.uuid4())
        token = ORIGIN.set(
            Origin(request_id[:64], str(bound.get("ip") or request.META.get("REMOTE_ADDR", "")))
        )
        try:
            return self.get_response(request)
        finally:
            ORIGIN.reset(token)
