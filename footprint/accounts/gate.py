"""Every view declares the verb it needs; a view that declares nothing is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

OPEN_TO_ALL = "open to all"


class SignedInRequest(HttpRequest):
    """A request that passed the gate: its user is a known, active person."""

    user: Person
    htmx: HtmxDetails


def requires(
    verb: Verb,
) -> Callable[[Callable[Concatenate[SignedInRequest, P], HttpResponseBase]], View[P]]:
    """Lets only people through who may do `verb`; others get the sign-in page or 403."""

    def gate(view: Callable[Concatenate[SignedInRequest, P], HttpResponseBase]) -> View[P]:
        @wraps(view)
        def gated(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not may(request.user, verb):
                raise PermissionDenied(verb)
            if request.user.must_choose_password and verb != Verb.KEEP_ACCOUNT:
                return _to_choose_a_password(request)
            return view(request, *args, **kwargs)  # type: ignore[arg-type]  # checked two lines above

        gated.verb = verb  # type: ignore[attr-defined]  # read by GateMiddleware and by the test of all routes
        return cast(View[P], gated)

    return gate


def open_to_all(view: View[P]) -> View[P]:
    """Marks the few views that need no sign-in: sign-in itself, sign-out and health."""
    view.verb = OPEN_TO_ALL  # type: ignore[attr-defined]  # as in requires()
    view.login_required = False  # type: ignore[attr-defined]  # read by Django's LoginRequiredMiddleware
    return view


class GateMiddleware:
    """Denies by default: a view without a declared verb answers 403, whoever asks.

    Also speaks for people whose session ended while a page was open, and sets the reader's time zone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            response = self.get_response(request)
        finally:
            timezone.deactivate()
        if request.headers.get("HX-Request") == "true" and _leads_to_sign_in(response):
            return _whole_page_to_sign_in(request)
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        verb = getattr(view, "verb", None)
        if verb is None:
            raise PermissionDenied("This page declares nobody who may see it.")
        if verb != OPEN_TO_ALL and isinstance(request.user, Person):
            timezone.activate(ZoneInfo(request.user.time_zone))


def _to_choose_a_password(request: HttpRequest) -> HttpResponse:
    """Until then somebody else knows the password, and whatever is done could be theirs."""
    location = resolve_url("account-password")
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": location})
    return HttpResponse(status=302, headers={"Location": location})


def _leads_to_sign_in(response: HttpResponseBase) -> bool:
    address = urlsplit(response.headers.get("Location", "")).path
    return response.status_code == 302 and address == resolve_url(settings.LOGIN_URL)


def _whole_page_to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page must not be swapped into a part of a page; htmx goes there with the whole one."""
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = f"{page.path}?{page.query}" if page.query else page.path
    location = redirect_to_login(back or "/").headers["Location"]
    return HttpResponse(status=204, headers={"HX-Redirect": location})
