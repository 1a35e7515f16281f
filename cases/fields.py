from __future__ import annotations

from typing import Any

from django import forms

from cases.texts import bad_line


class SeenField(forms.CharField):
    """A text that others will read: nothing in it is hidden from them."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if said := bad_line(value):
            raise forms.ValidationError(said)
