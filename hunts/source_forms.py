"""The settings of a source on a form: only those that its kind has."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import BoundField

from cases.fields import SeenField
from footprint.accounts.models import Person
from footprint.azure.credentials import Way, parse_reference
from hunts.models import Source
from hunts.source_actions import SourceFields, usual_per_30_seconds
from hunts.sources.errors import BadSource
from hunts.sources.open import OPTIONS, REQUIRED

LONGEST_OPTION = 4_000
_AREA = frozenset({"more_workspaces", "lacks"})
# Asked first, in this order; the others of a kind are for special places.
_FIRST = ("endpoint", "workspace", "database", "more_workspaces", "time_column")
_WAYS = (
    (Way.DEFAULT, "what the environment describes"),
    (Way.MANAGED_IDENTITY, "managed identity"),
    (Way.WORKLOAD_IDENTITY, "workload identity"),
    (Way.CLIENT_SECRET, "client secret"),
    (Way.CERTIFICATE, "certificate"),
    (Way.TOKEN, "token of a proxy or a lab"),
)

LABELS = {
    "workspace": (
        "Workspace ID",
        "Like 00000000-0000-0000-0000-000000000000, from its overview.",
    ),
    "more_workspaces": ("More workspaces", "IDs or resource IDs, asked together with it, 99 at most."),
    "database": ("Database", "As the cluster names it."),
    "time_column": ("Time column", "Timestamp when empty."),
    "lacks": ("Missing columns", "Columns that the table does not have; they are left out of questions."),
    "endpoint": ("Endpoint", "The address to ask. Empty: the public service."),
    "audience": ("Audience", "Whom a token is for. Empty: the service at the endpoint."),
    "authority": ("Authority", "Who gives out tokens. Empty: as the endpoint's cloud has it."),
    "retention_days": (
        "Days kept there",
        "Nothing older is asked for. Empty: unknown, or 30 in Defender XDR.",
    ),
    "max_rows": ("Most rows of an answer", "An answer of so many rows is taken for a cut one."),
}


class ReasonForm(forms.Form):
    """Why a source is paused."""

    reason = SeenField(
        max_length=500,
        label="Why",
        error_messages={"required": "Say why. Whoever opens a case reads it."},
    )


class SourceForm(forms.Form):
    """Adds a source of `kind`, or changes `source`. The slug and the kind of a source never change."""

    slug = forms.SlugField(
        max_length=50,
        label="Short name",
        help_text="Letters, digits, - and _. It never changes: sightings and commands use it.",
        error_messages={"required": "Give it a short name."},
    )
    title = SeenField(
        max_length=100, label="Name", error_messages={"required": "Give it a name for the pages."}
    )
    way = forms.ChoiceField(
        label="Signs in with",
        choices=_WAYS,
        help_text="Secrets stay in the environment of the workers; none is kept here.",
    )
    variable = SeenField(
        required=False,
        max_length=100,
        label="Variable",
        help_text="Of a token: the variable that holds it. Of the others: what their variables begin with,"
        " AZURE when empty.",
    )
    owner = forms.ModelChoiceField(
        queryset=Person.objects.filter(is_active=True).order_by("first_name", "username"),
        required=False,
        empty_label="nobody",
        help_text="Who is told when it fails.",
    )
    at_once = forms.IntegerField(
        min_value=1,
        max_value=Source.MOST_AT_ONCE,
        initial=4,
        label="Questions at once",
        help_text="Of all workers together.",
    )
    per_30_seconds = forms.IntegerField(
        min_value=1,
        max_value=Source.MOST_PER_30_SECONDS,
        label="Questions in 30 seconds",
        help_text="Of all workers together. Other programs of this identity or tenant count too.",
    )
    keep_days = forms.IntegerField(
        min_value=1,
        max_value=Source.MOST_KEEP_DAYS,
        required=False,
        label="Days kept here",
        help_text="Rows of older days are removed. Empty: everything is kept.",
    )
    # The version of the source that the form shows.
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, kind: Source.Kind, source: Source | None = None) -> None:
        self.kind = kind
        self.source = source
        self.moved = False
        self._options = () if kind == Source.Kind.LOCAL else _ordered(OPTIONS[kind])
        initial = {"per_30_seconds": usual_per_30_seconds(kind)} if source is None else _initial(source)
        super().__init__(data, initial=initial, label_suffix="")
        for name in self._options:
            self.fields[name] = _option_field(name, is_required=name in REQUIRED[kind])
        for name in self._without():
            del self.fields[name]

    def _without(self) -> list[str]:
        remote_only = ["way", "variable", "at_once", "per_30_seconds"]
        without = remote_only if self.kind == Source.Kind.LOCAL else ["keep_days"]
        return [*without, *(["slug"] if self.source is not None else ["seen"])]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if "way" in self.fields and "way" in self.cleaned_data:
            try:
                parse_reference(self._credential())
            except BadSource as error:
                self.tell(error)
        return cleaned

    def source_fields(self) -> SourceFields:
        """Once it is valid."""
        given = self.cleaned_data
        fields: SourceFields = {
            "title": given["title"],
            "owner": given["owner"],
            "options": {name: given[name] for name in self._options if given[name]},
        }
        if self.kind == Source.Kind.LOCAL:
            fields["keep_days"] = given["keep_days"]
        else:
            fields["credential"] = self._credential()
            fields["at_once"] = given["at_once"]
            fields["per_30_seconds"] = given["per_30_seconds"]
        return fields

    def tell(self, error: BadSource) -> None:
        """Shows it at its field, or above the form when there is no such field."""
        field = error.field
        if field == "credential":
            is_about_name = (
                bool(self.cleaned_data.get("variable")) or self.cleaned_data.get("way") == Way.TOKEN
            )
            field = "variable" if is_about_name else "way"
        self.add_error(field if field in self.fields else None, str(error))

    def show_moved(self, source: Source) -> None:
        """Keeps what was typed; sent once more, it is taken as a change of what is there now."""
        self.moved = True
        # No field here has several values, so nothing is lost on the way.
        self.data = {name: self.data.get(name) for name in self.data} | {"seen": str(source.version)}

    @property
    def first_options(self) -> list[BoundField]:
        return [self[name] for name in self._options if name in self._needed]

    @property
    def more_options(self) -> list[BoundField]:
        return [self[name] for name in self._options if name not in self._needed]

    @property
    def is_more_used(self) -> bool:
        return any(field.errors or field.value() for field in self.more_options)

    @property
    def _needed(self) -> set[str]:
        kind_has_more = {"more_workspaces"} if self.kind == Source.Kind.LOG_ANALYTICS else set()
        return {*REQUIRED.get(self.kind, ()), *kind_has_more}

    def _credential(self) -> str:
        way, name = self.cleaned_data["way"], self.cleaned_data.get("variable", "")
        return f"{way}:{name}" if name else str(way)


def _ordered(names: tuple[str, ...]) -> tuple[str, ...]:
    first = [name for name in _FIRST if name in names]
    return (*first, *(name for name in names if name not in first))


def _option_field(name: str, *, is_required: bool) -> forms.CharField:
    label, help_text = LABELS[name]
    attrs = {"spellcheck": "false", "autocapitalize": "none"}
    widget = forms.Textarea(attrs={**attrs, "rows": 2}) if name in _AREA else forms.TextInput(attrs=attrs)
    field = SeenField(
        required=is_required, max_length=LONGEST_OPTION, label=label, help_text=help_text, widget=widget
    )
    field.error_messages["required"] = f"Give the {label[:1].lower()}{label[1:]}."
    return field


def _initial(source: Source) -> dict[str, Any]:
    way, _, variable = source.credential.partition(":")
    return {
        **source.options,
        "title": source.title,
        "way": way,
        "variable": variable,
        "owner": source.owner_id,
        "at_once": source.at_once,
        "per_30_seconds": source.per_30_seconds,
        "keep_days": source.keep_days,
        "seen": source.version,
    }


def label_of(option: str) -> str:
    return LABELS[option][0] if option in LABELS else option
