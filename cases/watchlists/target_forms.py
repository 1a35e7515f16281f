"""The settings of a target on a form: only those that its kind has."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import BoundField

from cases.fields import SeenField
from cases.watchlists.models import Target
from cases.watchlists.target_actions import TargetFields
from cases.watchlists.targets.open import OPTIONS, REQUIRED
from cases.watchlists.targets.sentinel import API_VERSION
from footprint.azure.credentials import WORDS, Way
from footprint.azure.errors import BadSetting

_LONGEST_OPTION = 500
LABELS = {
    "subscription": ("Subscription ID", "Like 00000000-0000-0000-0000-000000000000."),
    "resource_group": ("Resource group", "Of the workspace."),
    "workspace": ("Workspace name", "Its name, not its ID."),
    "alias": ("Alias", "3 to 64 letters and digits, with spaces, - and _ inside. Queries name it."),
    "api_version": ("API version", f"Empty: {API_VERSION}."),
    "endpoint": ("Endpoint", "The address to ask. Empty: the public service."),
    "audience": ("Audience", "Whom a token is for. Empty: the service at the endpoint."),
    "authority": ("Authority", "Who gives out tokens. Empty: as the endpoint's cloud has it."),
}


class TargetForm(forms.Form):
    """Adds a target of `kind`, or changes `target`. The slug, the kind and the list never change."""

    slug = forms.SlugField(
        max_length=50,
        label="Short name",
        help_text="Letters, digits, - and _. It never changes.",
        error_messages={"required": "Give it a short name."},
    )
    title = SeenField(
        max_length=100, label="Name", error_messages={"required": "Give it a name for the pages."}
    )
    way = forms.ChoiceField(
        label="Signs in with",
        choices=[(way.value, words) for way, words in WORDS.items()],
        help_text="Secrets stay in the environment of the workers; none is kept here.",
    )
    variable = SeenField(
        required=False,
        max_length=100,
        label="Variable",
        help_text="Of a token: the variable that holds it. Of the others: what their variables begin with,"
        " AZURE when empty.",
    )
    takes_allows = forms.BooleanField(
        required=False,
        label="Takes allows too",
        help_text="An allow there overrides the blocks of other teams, and SmartScreen.",
    )
    grace_minutes = forms.IntegerField(
        min_value=0,
        max_value=7 * 24 * 60,
        initial=120,
        label="Minutes until it is enforced",
        help_text="From an accepted entry on. Defender usually needs less than two hours, Sentinel minutes.",
    )
    # The version of the target that the form shows.
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, kind: Target.Kind, target: Target | None = None) -> None:
        self.kind = kind
        self.target = target
        self.moved = False
        self._options = OPTIONS[kind]
        super().__init__(data, initial=_initial(target), label_suffix="")
        for name in self._options:
            self.fields[name] = _option_field(name, is_required=name in REQUIRED[kind])
        del self.fields["seen" if target is None else "slug"]
        if kind != Target.Kind.DEFENDER:
            del self.fields["takes_allows"]

    def target_fields(self) -> TargetFields:
        """Once it is valid."""
        given = self.cleaned_data
        way, name = given["way"], given["variable"].strip()
        return {
            "title": given["title"],
            "options": {name: given[name] for name in self._options if given[name]},
            "credential": f"{way}:{name}" if name else way,
            "takes_allows": given.get("takes_allows", False),
            "grace_minutes": given["grace_minutes"],
        }

    def tell(self, error: BadSetting) -> None:
        """Shows it at its field, or above the form when there is no such field."""
        field = error.field
        if field == "credential":
            is_about_name = (
                bool(self.cleaned_data.get("variable")) or self.cleaned_data.get("way") == Way.TOKEN
            )
            field = "variable" if is_about_name else "way"
        self.add_error(field if field in self.fields else None, str(error))

    def show_moved(self, target: Target) -> None:
        """Keeps what was typed; sent once more, it is taken as a change of what is there now."""
        self.moved = True
        self.data = {name: self.data.get(name) for name in self.data} | {"seen": str(target.version)}

    @property
    def first_options(self) -> list[BoundField]:
        return [self[name] for name in self._options if name in REQUIRED[self.kind]]

    @property
    def more_options(self) -> list[BoundField]:
        return [self[name] for name in self._options if name not in REQUIRED[self.kind]]

    @property
    def is_more_used(self) -> bool:
        return any(field.errors or field.value() for field in self.more_options)


def _option_field(name: str, *, is_required: bool) -> forms.CharField:
    label, help_text = LABELS[name]
    widget = forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none"})
    field = SeenField(
        required=is_required, max_length=_LONGEST_OPTION, label=label, help_text=help_text, widget=widget
    )
    field.error_messages["required"] = f"Give the {label[:1].lower()}{label[1:]}."
    return field


def _initial(target: Target | None) -> dict[str, Any]:
    if target is None:
        return {}
    way, _, variable = target.credential.partition(":")
    return {
        **target.options,
        "title": target.title,
        "way": way,
        "variable": variable,
        "takes_allows": target.takes_allows,
        "grace_minutes": target.grace_minutes,
        "seen": target.version,
    }
