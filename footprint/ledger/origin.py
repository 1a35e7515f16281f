"""Where a change comes from: every request carries its id and address into the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from structlog.contextvars import get_contextvars

from footprint.ledger.record import ORIGIN, Origin


class OriginMiddleware:
    """Stands after the request middleware of django-structlog, whose request id the logs carry too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = str(get_contextvars().get("request_id") or uuid.uuid4())
        token = ORIGIN.set(Origin(request_id[:64], address_of(request)))
        try:
            return self.get_response(request)
        finally:
            ORIGIN.reset(token)


def address_of(request: HttpRequest) -> str:
    """The client's address as the nearest hop we trust saw it.

    Anyone can send X-Forwarded-For, so it counts only behind our own proxy, and of it only the last
    entry, which that proxy has added itself.
    """
    if settings.FOOTPRINT.behind_proxy:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        return str(forwarded.rpartition(",")[2].strip())[:64]
    return str(request.META.get("REMOTE_ADDR", ""))
