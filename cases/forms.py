from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.utils import timezone

from cases.texts import first_hidden, with_plain_lines

LONGEST_REASON = 2000
FOREVER, MONTH, YEAR = "", "30", "365"


class WordingForm(forms.Form):
    """Where a decision counts, until when, and why."""

    scope = forms.ChoiceField(
        label="Where",
        choices=[("case", "this case"), ("everywhere", "everywhere")],
        widget=forms.RadioSelect,
    )
    until = forms.ChoiceField(
        choices=[(FOREVER, "no end"), (MONTH, "30 days"), (YEAR, "one year")], required=False
    )
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why: the reason goes to the ledger."},
    )

    def clean_reason(self) -> str:
        reason = with_plain_lines(self.cleaned_data["reason"])
        if hidden := first_hidden(reason):
            raise forms.ValidationError(f"The reason holds a character that nobody can see ({hidden}).")
        return reason

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["until"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class DecideForm(WordingForm):
    """A verdict on one value. `basis` is what its reader saw, so that nothing is decided blindly."""

    verdict = forms.ChoiceField(
        choices=[("allowed", "Allow"), ("blocked", "Block")], widget=forms.HiddenInput
    )
    basis = forms.CharField(required=False, widget=forms.HiddenInput)
    back = forms.CharField(required=False, widget=forms.HiddenInput)

    @staticmethod
    def first_choices(verdict: str) -> dict[str, str]:
        """A block counts everywhere and has no end, an allow counts here for a year, unless changed."""
        if verdict == "blocked":
            return {"verdict": verdict, "scope": "everywhere", "until": FOREVER}
        return {"verdict": verdict, "scope": "case", "until": YEAR}
