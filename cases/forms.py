from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from cases.expiries import FURTHEST, TOO_FAR
from cases.fields import ReasonField
from cases.models import CaseFile

LONGEST_SUBJECT = 300
FOREVER, MONTH, YEAR = "", "30", "365"


class UntilForm(forms.Form):
    """How long a decision counts: one of a few lengths, or to the end of a day."""

    until = forms.ChoiceField(
        choices=[(FOREVER, "no end"), (MONTH, "30 days"), (YEAR, "one year")], required=False
    )
    until_date = forms.DateField(
        label="or to the end of",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the day as year-month-day."},
    )

    def clean_until_date(self) -> date | None:
        day: date | None = self.cleaned_data["until_date"]
        if day is not None and day > timezone.localdate() + FURTHEST:
            raise forms.ValidationError(TOO_FAR)
        return day

    def expires_at(self) -> datetime | None:
        """A day that is given goes before the lengths."""
        day = self.cleaned_data.get("until_date")
        if day is not None:
            return timezone.make_aware(datetime.combine(day, time.max))
        days = self.cleaned_data.get("until")
        return timezone.now() + timedelta(days=int(days)) if days else None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        expires_at = self.expires_at()
        if expires_at is not None and expires_at <= timezone.now():
            self.add_error("until_date", "This day is over; the expiry must be in the future.")
        return cleaned


class WordingForm(UntilForm):
    """Where a decision counts, until when, and why."""

    scope = forms.ChoiceField(
        label="Where",
        choices=[("case", "this case"), ("everywhere", "everywhere")],
        widget=forms.RadioSelect,
    )
    reason: forms.CharField = ReasonField()


class DecideForm(WordingForm):
    """A verdict on one value, or on what is typed around it.

    `basis` is what its reader saw decided and `seen` the preview they saw, so that nothing is decided
    blindly. `subject` is the chosen offer, `own` a text of one's own that goes before it.
    """

    verdict = forms.ChoiceField(
        choices=[("allowed", "Allow"), ("blocked", "Block")], widget=forms.RadioSelect
    )
    subject = forms.CharField(required=False, max_length=LONGEST_SUBJECT, strip=True)
    own = forms.CharField(label="or", required=False, max_length=LONGEST_SUBJECT, strip=True)
    scope = forms.ChoiceField(
        label="Where",
        choices=[("case", "this case"), ("file", "one file"), ("everywhere", "everywhere")],
        widget=forms.RadioSelect,
    )
    file = forms.ChoiceField(label="Which file, in all cases", required=False)
    basis = forms.CharField(required=False, widget=forms.HiddenInput)
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    back = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *given: Any, files: Sequence[CaseFile] = (), **more: Any) -> None:
        super().__init__(*given, **more)
        self._files = {str(file.pk): file for file in files}
        field = self.fields["file"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(pk, file.text) for pk, file in self._files.items()]

    def typed_subject(self) -> str:
        """Empty for the value itself."""
        return self.cleaned_data.get("own") or self.cleaned_data.get("subject") or ""

    def chosen_file(self) -> CaseFile | None:
        if self.cleaned_data.get("scope") != "file":
            return None
        return self._files.get(self.cleaned_data.get("file") or next(iter(self._files), ""))

    @staticmethod
    def first_choices(verdict: str) -> dict[str, str]:
        """A block counts everywhere and has no end, an allow counts here for a year, unless changed."""
        if verdict == "blocked":
            return {"verdict": verdict, "scope": "everywhere", "until": FOREVER}
        return {"verdict": verdict, "scope": "case", "until": YEAR}


class EndForm(forms.Form):
    """Withdrawing a decision, or rejecting a proposal."""

    reason = ReasonField()
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class ExtendForm(UntilForm):
    reason = ReasonField()
