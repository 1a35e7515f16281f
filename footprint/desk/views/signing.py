"""Signing in and out. These views stand here and not with the accounts, because each writes the ledger."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from footprint.accounts.gate import open_to_all
from footprint.accounts.models import Person
from footprint.ledger.people import note_sign_in, note_sign_out

log = structlog.get_logger("footprint.security")


class SignInForm(AuthenticationForm):
    def __init__(self, request: HttpRequest, data: QueryDict | None = None) -> None:
        super().__init__(request, data)
        self.fields["username"].label = "Name"
        self.error_messages = {
            "invalid_login": "This name and password do not belong together. Both mind capital letters.",
            "inactive": "This account is switched off.",
        }


@open_to_all
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    back = _safe_address(request)
    if request.user.is_authenticated:
        return redirect(back)
    if request.method != "POST":
        return render(request, "accounts/sign_in.html", {"form": SignInForm(request), "next": back})
    form = SignInForm(request, request.POST)
    if form.is_valid():
        person = form.get_user()
        login(request, person)
        note_sign_in(Person.objects.get(pk=person.pk))
        return redirect(back)
    log.warning("sign_in_refused", username=request.POST.get("username", "")[:150])
    return render(request, "accounts/sign_in.html", {"form": form, "next": back}, status=422)


@open_to_all
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    person = request.user
    logout(request)
    if isinstance(person, Person):
        note_sign_out(person)
    return redirect(settings.LOGOUT_REDIRECT_URL)


def _safe_address(request: HttpRequest) -> str:
    asked = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure()):
        return asked
    return settings.LOGIN_REDIRECT_URL
