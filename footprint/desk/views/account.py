from __future__ import annotations

from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.accounts.models import Person, Theme


class AccountForm(forms.Form):
    theme = forms.ChoiceField(choices=Theme.choices)
    time_zone = forms.ChoiceField(
        choices=[(name, name.replace("_", " ")) for name in sorted(available_timezones())],
        help_text="Times are shown in this zone. Coverage stays in whole UTC days.",
    )


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
