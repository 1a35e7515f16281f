from __future__ import annotations

from django import forms

from cases.fields import ReasonField
from cases.forms import FOREVER, MONTH, YEAR, DecideForm, WordingForm
from cases.models import Batch

_DAYS = {FOREVER: 0, MONTH: int(MONTH), YEAR: int(YEAR)}


class SelectionForm(WordingForm):
    """The bar under the queue. What it leaves open is as usual for the verdict; why may be said later."""

    scope = forms.ChoiceField(
        choices=[("", "usual place"), ("case", "this case"), ("everywhere", "everywhere")],
        required=False,
        error_messages={"invalid_choice": "Choose this case or everywhere."},
    )
    until = forms.ChoiceField(
        choices=[("", "usual end"), ("never", "no end"), (MONTH, "30 days"), (YEAR, "one year")],
        required=False,
    )
    reason = ReasonField(required=False)

    def as_usual(self, verdict: str) -> None:
        """Fills in what was left open."""
        usual = DecideForm.first_choices(verdict)
        self.cleaned_data["scope"] = self.cleaned_data["scope"] or usual["scope"]
        chosen = self.cleaned_data["until"] or usual["until"]
        self.cleaned_data["until"] = FOREVER if chosen == "never" else chosen


class BatchForm(WordingForm):
    """How a draft is worded. What it is on is frozen and no part of this."""

    @classmethod
    def of_draft(cls, batch: Batch) -> BatchForm:
        return cls(initial={"scope": batch.scope, "until": _until_of(batch), "reason": batch.reason})


def _until_of(batch: Batch) -> str:
    if batch.expires_at is None:
        return FOREVER
    days = (batch.expires_at - batch.frozen_at).days + 1
    return min((MONTH, YEAR), key=lambda choice: abs(_DAYS[choice] - days))
