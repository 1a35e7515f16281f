"""What people keep of their own: theme, time zone and password."""

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.accounts.models import Person, Theme
from footprint.ledger.person_actions import choose_password


class AccountForm(forms.Form):
    theme = forms.ChoiceField(choices=Theme.choices)
    time_zone = forms.ChoiceField(
        choices=[(name, name.replace("_", " ")) for name in sorted(available_timezones())],
        help_text="Times are shown in this zone. Coverage stays in whole UTC days.",
    )


class PasswordForm(PasswordChangeForm):
    """Django's own, in our words. It wants the old password, so that an open screen is not enough."""

    def __init__(self, person: Person, data: QueryDict | None = None) -> None:
        super().__init__(person, data)
        self.fields["old_password"].label = "Password now"
        self.fields["new_password1"].label = "New password"
        self.fields["new_password1"].help_text = "Twelve characters or more, and not a common word."
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""
        self.error_messages = {
            "password_incorrect": "That is not the password of now.",
            "password_mismatch": "The two new passwords differ.",
        }

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, object] = super().clean() or self.cleaned_data
        if "new_password1" in cleaned and cleaned["new_password1"] == self.data.get("old_password"):
            self.add_error("new_password1", "Choose another one than now.")
        return cleaned


@requires(Verb.KEEP_ACCOUNT)
@require_http_methods(["GET", "POST"])
def account(request: SignedInRequest) -> HttpResponse:
    person = request.user
    form = AccountForm(
        request.POST if request.method == "POST" else None,
        initial={"theme": person.theme, "time_zone": person.time_zone},
    )
    if form.is_valid():
        Person.objects.filter(pk=person.pk).update(**form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("account")
    status = 422 if form.is_bound else 200
    return render(request, "accounts/account.html", {"form": form, "nav": "account"}, status=status)


@requires(Verb.KEEP_ACCOUNT)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: SignedInRequest) -> HttpResponse:
    person = request.user
    form = PasswordForm(person, request.POST if request.method == "POST" else None)
    if form.is_valid():
        choose_password(person=person, password=form.cleaned_data["new_password1"])
        # This session goes on; every other one ends.
        person.refresh_from_db()
        update_session_auth_hash(request, person)
        messages.success(request, "The password is changed.")
        return redirect("account")
    status = 422 if form.is_bound else 200
    return render(request, "accounts/password.html", {"form": form, "nav": "account"}, status=status)
