"""Pages for what goes wrong. They ask nothing of the database, which may be what went wrong."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from footprint.asked import Gone
from footprint.ledger.record import ORIGIN


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happened, then what it means and what to do."""

    title: str
    text: str


TROUBLES = {
    400: Trouble("This request cannot be understood", "Nothing was changed. Go back and try again."),
    403: Trouble(
        "You may not do this",
        "Your role does not allow it. Nothing was changed. Someone with another role, or an administrator,"
        " can help.",
    ),
    404: Trouble("There is no such page", "What it showed is not there, or the address has a typing error."),
    405: Trouble(
        "This address takes no such request", "Nothing was changed. Go back and use the page's own buttons."
    ),
    409: Trouble("Someone else was faster", "Nothing was changed. Go back, reload, and look at it again."),
    413: Trouble(
        "This is too large",
        "Nothing was changed. Go back: your browser still has what you typed. A request holds at most 2 MB.",
    ),
    500: Trouble(
        "Something went wrong here",
        "It is our fault, not yours, and it has been noted. Try again; if it stays, pass the request's"
        " number on.",
    ),
    503: Trouble(
        "The database does not answer",
        "Nothing was changed. It usually comes back by itself; try again in a moment.",
    ),
}


def error_page(request: HttpRequest, status: int, said: str = "") -> HttpResponse:
    trouble = TROUBLES[status]
    context = {
        "status": status,
        "trouble": trouble,
        "said": said,
        "request_id": ORIGIN.get().request_id,
        "address": request.path,
    }
    # Without the request: no context processor may reach for the person or the session.
    return HttpResponse(render_to_string("errors/error.html", context), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent):
        return error_page(request, 413, _larger_way(request))
    return error_page(request, 400, _own_words(exception))


def _larger_way(request: HttpRequest) -> str:
    if request.path == reverse("new-intake"):
        return "A list that is pasted holds 2 MB at most. Choose it as a file: that may have 10 MB."
    return ""


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 404, str(exception) if isinstance(exception, Gone) else "")


def server_error(request: HttpRequest) -> HttpResponse:
    fault = sys.exc_info()[1]
    # A closed connection or one that cannot be made; a faulty statement is an error of ours.
    if isinstance(fault, OperationalError | InterfaceError):
        return error_page(request, 503)
    return error_page(request, 500)


def no_csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_page(
        request,
        403,
        "The form was too old, or came from another site. Go back, reload the page and send it again.",
    )


def _own_words(exception: Exception) -> str:
    """Sentences of our views may be shown; what Django says of a suspicious request may not."""
    return str(exception) if isinstance(exception, BadRequest) else ""
