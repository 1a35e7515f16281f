"""Signing in and out. These views stand here and not with the accounts, because each writes the ledger."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from footprint.accounts.gate import open_to_all
from footprint.accounts.lock_out import Attempt, count_attempt, forget_attempts
from footprint.accounts.models import Person
from footprint.ledger.origin import address_of
from footprint.ledger.people import note_lock_outs, note_sign_in, note_sign_out

log = structlog.get_logger("footprint.security")

LONGEST_NAME = 150


class SignInForm(AuthenticationForm):
    def __init__(self, request: HttpRequest, data: QueryDict | None = None) -> None:
        super().__init__(request, data)
        self.fields["username"].label = "Name"
        self.error_messages = {
            "invalid_login": "This name and password do not belong together. Both mind capital letters.",
            "inactive": "This account is switched off.",
        }

    def name_typed(self) -> str:
        """As it will be looked for: spaces around it and another form of its letters are the same name."""
        typed = self.fields["username"].to_python(self.data.get("username", ""))
        return str(typed or "")[:LONGEST_NAME]


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
    name, address = form.name_typed(), address_of(request)
    if _count(name, address).locked_until is not None:
        return _locked_out(request, back, name)
    if form.is_valid():
        person = form.get_user()
        with transaction.atomic():
            forget_attempts(name, address)
            login(request, person)
            note_sign_in(Person.objects.get(pk=person.pk))
        return redirect(back)
    log.warning("sign_in_refused", username=_known_name(_who_has(name)), address=address)
    return render(request, "accounts/sign_in.html", {"form": form, "next": back}, status=422)


def _count(name: str, address: str) -> Attempt:
    """The attempt that locks and its entry are one transaction."""
    with transaction.atomic():
        attempt = count_attempt(name, address)
        if attempt.locked_until is not None:
            person, minutes = _who_has(name), settings.FOOTPRINT.sign_in_lock_minutes
            username = _known_name(person)
            log.warning("sign_in_locked_out", username=username, address=address, locks=attempt.locks)
            note_lock_outs(attempt=attempt, person=person, address=address, minutes=minutes)
    return attempt


def _locked_out(request: HttpRequest, back: str, name: str) -> HttpResponse:
    """The password was not looked at, so the answer tells nothing about it."""
    form = SignInForm(request)
    form.initial = {"username": name}
    context = {"form": form, "next": back, "locked_out": True}
    return render(request, "accounts/sign_in.html", context, status=429)


def _who_has(name: str) -> Person | None:
    return None if "\0" in name else Person.objects.filter(username__iexact=name).first()


def _known_name(person: Person | None) -> str | None:
    """What is logged: never a name that nobody has, because people type passwords there."""
    return person.username if person else None


@open_to_all
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    person = request.user
    with transaction.atomic():
        logout(request)
        if isinstance(person, Person):
            note_sign_out(person)
    return redirect(settings.LOGOUT_REDIRECT_URL)


def _safe_address(request: HttpRequest) -> str:
    asked = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure()):
        return asked
    return settings.LOGIN_REDIRECT_URL
