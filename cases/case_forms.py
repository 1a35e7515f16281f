from __future__ import annotations

from typing import Any

from django import forms

from cases.case_actions import CaseFacts
from cases.fields import ReasonField, TitleField, WhyField
from cases.models import Case, Severity, Tlp
from cases.tags import read_tags
from footprint.accounts.may import Verb, roles_with
from footprint.accounts.models import Person

NOBODY = ""
LONGEST_TAGS = 2000


def people_for_cases(*besides: Person | None) -> dict[str, Person]:
    """By their key as text: who may work on cases, and who has this one already."""
    able = Person.objects.filter(is_active=True, role__in=roles_with(Verb.EDIT_CASE))
    found = sorted({*able, *(each for each in besides if each is not None)}, key=str)
    return {str(person.pk): person for person in found}


class CaseForm(forms.Form):
    """What a case says of itself. `version` is that of the case which was read."""

    title = TitleField()
    why = WhyField(rows=4)
    severity = forms.TypedChoiceField(choices=Severity.choices, coerce=int)
    tlp = forms.ChoiceField(label="TLP", choices=Tlp.choices, required=False)
    owner = forms.ChoiceField()
    assignee = forms.ChoiceField(required=False)
    tags = forms.CharField(
        required=False,
        max_length=LONGEST_TAGS,
        help_text="Separated by commas.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people_for_cases(case.owner, case.assignee)
        named = [(key, str(person)) for key, person in self.people.items()]
        self.fields["owner"].choices = named  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["assignee"].choices = [(NOBODY, "nobody"), *named]  # type: ignore[attr-defined]  # as above

    def facts(self) -> CaseFacts:
        given = self.cleaned_data
        return CaseFacts(
            title=given["title"],
            why=given["why"],
            owner=self.people[given["owner"]],
            assignee=self.people.get(given["assignee"]),
            severity=given["severity"],
            tlp=given["tlp"],
            tags=read_tags(given["tags"]),
        )

    @staticmethod
    def first_values(case: Case) -> dict[str, object]:
        return {
            "title": case.title,
            "why": case.why,
            "severity": case.severity,
            "tlp": case.tlp,
            "owner": str(case.owner_id),
            "assignee": str(case.assignee_id or NOBODY),
            "tags": ", ".join(case.tags),
            "version": case.version,
        }


class StateForm(forms.Form):
    """Where a case goes, and why."""

    state = forms.ChoiceField(
        choices=Case.State.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose open, watching or closed."},
    )
    reason = ReasonField(rows=3, required=False)
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
