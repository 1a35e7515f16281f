"""The people who may sign in, for administrators: what they may do, and whether they may at all."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cases.fields import SeenField
from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from footprint.accounts.models import Person, Role
from footprint.ledger.people import LastAdministrator, add_person, set_role
from footprint.ledger.person_actions import (
    NotActive,
    deactivate,
    give_password,
    locked_out,
    new_password,
    reactivate,
    unlock_person,
)
from footprint.ledger.record import Actor

LAST_ADMINISTRATOR = "This is the last administrator. Make somebody else one first."


class PersonForm(forms.Form):
    username = forms.CharField(
        label="Signs in as", max_length=150, validators=[UnicodeUsernameValidator()], strip=True
    )
    name = SeenField(label="Name", max_length=150, help_text="As it stands beside decisions.")
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.READER.value)

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        if Person.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError("There is already a person of this name.")
        return username


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role", choices=Role.choices)
    reason = SeenField(label="Reason", max_length=500, required=False)


class ActForm(forms.Form):
    """Why somebody is given a password, unlocked, deactivated or reactivated. The page has two of them."""

    reason = SeenField(label="Reason", max_length=500, required=False)

    def __init__(self, part: str, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id=f"{part}-%s")
        self.part = part

    @classmethod
    def of_act(cls, act: str, data: QueryDict) -> ActForm:
        return cls("sign-in" if act in {"password", "unlock"} else "active", data)


@requires(Verb.MANAGE_PEOPLE)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: SignedInRequest) -> HttpResponse:
    """A GET lists them, a POST adds one and tells the password, which no other answer does."""
    form = PersonForm(request.POST if request.method == "POST" else None)
    context: dict[str, object] = {"form": form}
    if form.is_valid():
        password = new_password()
        context["made"] = add_person(
            actor=Actor.person(request.user),
            username=form.cleaned_data["username"],
            name=form.cleaned_data["name"],
            role=Role(form.cleaned_data["role"]),
            password=password,
            is_given=True,
        )
        context |= {"password": password, "form": PersonForm()}
    locked = locked_out()
    context |= {
        "nav": "people",
        "people": [(person, locked.get(person.pk, [])) for person in _in_order()],
    }
    status = 422 if form.is_bound and not form.is_valid() else 200
    return render(request, "accounts/people.html", context, status=status)


def _in_order() -> list[Person]:
    return list(Person.objects.order_by("-is_active", "first_name", "last_name", "username"))


@requires(Verb.MANAGE_PEOPLE)
@never_cache
@require_http_methods(["GET", "HEAD"])
def person(request: SignedInRequest, pk: int) -> HttpResponse:
    return _page(request, get_object_or_404(Person, pk=pk))


def _page(
    request: SignedInRequest,
    person: Person,
    *,
    form: RoleForm | None = None,
    act_form: ActForm | None = None,
    password: str = "",
    refused: str = "",
) -> HttpResponse:
    acts = {"sign-in": ActForm("sign-in"), "active": ActForm("active")}
    if act_form is not None:
        acts[act_form.part] = act_form
    context = {
        "nav": "people",
        "person": person,
        "is_oneself": person.pk == request.user.pk,
        "locked_for": locked_out().get(person.pk, []),
        "form": form or RoleForm(initial={"role": person.role}),
        "sign_in_form": acts["sign-in"],
        "active_form": acts["active"],
        "password": password,
        "refused": refused,
    }
    status = 422 if refused or act_form or (form and form.errors) else 200
    return render(request, "accounts/person.html", context, status=status)


@requires(Verb.MANAGE_PEOPLE)
@never_cache
@require_POST
def change_role(request: SignedInRequest, pk: int) -> HttpResponse:
    person, form = get_object_or_404(Person, pk=pk), RoleForm(request.POST)
    if not form.is_valid():
        return _page(request, person, form=form)
    role, reason = Role(form.cleaned_data["role"]), form.cleaned_data["reason"]
    try:
        has_changed = set_role(actor=Actor.person(request.user), person=person, role=role, reason=reason)
    except LastAdministrator:
        return _page(request, person, form=form, refused=LAST_ADMINISTRATOR)
    messages.success(request, f"{person} is {role.label}{'' if has_changed else ' already'}.")
    # Whoever gave the role away may not see this page any more.
    return redirect("person", pk=pk) if person.pk != request.user.pk else redirect("account")


@requires(Verb.MANAGE_PEOPLE)
@never_cache
@require_POST
def act_on(request: SignedInRequest, pk: int) -> HttpResponse:
    """What one button does. Nobody does these to oneself: each would end the session it was asked in."""
    person, actor = get_object_or_404(Person, pk=pk), Actor.person(request.user)
    if person.pk == request.user.pk:
        return _page(request, person, refused="Another administrator has to do that for you.")
    act, password = request.POST.get("act", ""), None
    form = ActForm.of_act(act, request.POST)
    if not form.is_valid():
        return _page(request, person, act_form=form)
    reason = form.cleaned_data["reason"]
    try:
        if act == "password":
            password = give_password(actor=actor, person=person, reason=reason)
        elif act == "deactivate":
            deactivate(actor=actor, person=person, reason=reason)
        elif act == "reactivate":
            password = reactivate(actor=actor, person=person, reason=reason)
        elif act == "unlock":
            unlock_person(actor=actor, person=person, reason=reason)
    except LastAdministrator:
        return _page(request, person, refused=LAST_ADMINISTRATOR)
    except NotActive:
        return _page(request, person, refused="Somebody has deactivated this person meanwhile.")
    if password is None:
        return redirect("person", pk=pk)
    person.refresh_from_db()
    return _page(request, person, password=password)
