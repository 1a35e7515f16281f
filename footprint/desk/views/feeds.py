"""The feeds that firewalls and others fetch. No session, no cookie: a token opens one list in one format."""

from __future__ import annotations

import base64
import binascii

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

from cases.watchlists.feeds import Kept, NothingYet, NotThere, feeds
from cases.watchlists.fetch_budget import TooMany
from footprint.accounts.gate import open_to_all
from footprint.ledger.origin import address_of

_BLOCK = 1 << 18


class FeedResponse(FileResponse):
    block_size = _BLOCK


@open_to_all
@login_not_required
@require_safe
def feed(request: HttpRequest, slug: str, format: str) -> HttpResponseBase:
    token = _token(request)
    if token is None:
        return _asks_for_token()
    try:
        # Whoever asks only for the head has not got the list.
        kept = feeds().fetch(
            slug=slug,
            format=format,
            token=token,
            address=address_of(request),
            notes=request.method == "GET",
        )
    except NotThere:
        return _plain("No such feed for this token.", 404)
    except NothingYet:
        return _not_now()
    except TooMany as refused:
        return _plain("Asked too often.", 429, {"Retry-After": str(refused.seconds)})
    try:
        return _answer(request, kept)
    except OSError:
        # It was let go, or the disk fails.
        return _not_now()


def _not_now() -> HttpResponse:
    return _plain("Nothing can be had here now.", 503, {"Retry-After": "60"})


def _answer(request: HttpRequest, kept: Kept) -> HttpResponseBase:
    packed = "gzip" in request.headers.get("Accept-Encoding", "") and kept.packed.exists()
    etag = f'"{kept.sha256}-gzip"' if packed else f'"{kept.sha256}"'
    # Nothing to send when the reader has it.
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        path = kept.packed if packed else kept.path
        response = FeedResponse(path.open("rb"), content_type=kept.media_type)
        response.headers["Content-Length"] = str(path.stat().st_size)
        response.headers["Content-Disposition"] = "inline"
        if packed:
            response.headers["Content-Encoding"] = "gzip"
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Footprint-Publication"] = str(kept.number)
    patch_vary_headers(response, ["Accept-Encoding", "Authorization"])
    return response


def _token(request: HttpRequest) -> str | None:
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip()
        case "basic":
            try:
                _, _, password = (
                    base64.b64decode(rest.strip().encode(), validate=True).decode().partition(":")
                )
            except (binascii.Error, UnicodeDecodeError):
                return None
            return password
        case _:
            return None


def _asks_for_token() -> HttpResponse:
    headers = {"WWW-Authenticate": 'Basic realm="Footprint feeds", charset="UTF-8"'}
    return _plain(
        "Give the token, as the password of HTTP Basic or as Bearer; never in the address.", 401, headers
    )


def _plain(text: str, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)
